// The page for the wall: large, and without names.

import { write } from "./now.js";

const isOn = () => document.body.classList.contains("projector");

function turn(on, button) {
  document.body.classList.toggle("projector", on);
  write(button.querySelector("[data-word]"), on ? "Leave projector" : "Projector");
  if (on) document.documentElement.requestFullscreen?.().catch(() => {}); // Without it the page is only less large.
  else if (document.fullscreenElement) document.exitFullscreen();
  dispatchEvent(new Event("resize"));
}

/** Wires the button; `onTurn(on)` follows. Returns what keys may do: `toggle` and `leave`. */
export function projector(button, onTurn) {
  const change = (on) => {
    turn(on, button);
    onTurn(on);
  };
  const toggle = () => change(!isOn());
  const leave = () => isOn() && change(false);
  button.addEventListener("click", toggle);
  button.disabled = false;
  document.addEventListener("fullscreenchange", () => !document.fullscreenElement && leave());
  return { toggle, leave };
}
