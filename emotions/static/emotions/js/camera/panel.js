// One camera's place on a page: the veil before it, a line of words under it, and what is wrong with it.

import { CameraProblem } from "./source.js";
import { PROBLEMS } from "./words.js";

export const part = (name) => document.querySelector(`[data-part="${name}"]`);

export function say(words) {
  if (part("line").textContent !== words) part("line").textContent = words;
}

export function look({ running, problem = null }) {
  part("veil").hidden = running;
  part("stop").hidden = !running;
  part("problem").hidden = !problem;
  part("line").hidden = Boolean(problem);
  if (problem) part("problem-words").textContent = PROBLEMS[problem].words;
}

/** Gives the panel's buttons their work. Until then `start` is disabled: a press before the script has come would be lost. */
export function wire(start, stop) {
  part("start").addEventListener("click", start);
  part("again").addEventListener("click", start);
  part("stop").addEventListener("click", () => stop());
  part("start").disabled = false;
}

/** Whether the camera is on now; where it is not, the page says why. */
export async function switchOn(camera) {
  look({ running: false });
  say("Your browser asks whether this page may use your camera. Choose Allow.");
  try {
    await camera.start();
  } catch (error) {
    if (!(error instanceof CameraProblem)) throw error;
    look({ running: false, problem: error.problem });
    return false;
  }
  look({ running: true });
  return true;
}
