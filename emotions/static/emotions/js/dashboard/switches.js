// What a teacher switches on and off for good, each by a button in the page's footer that says how it is.

import { write } from "./now.js";

function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // Storage may be switched off: it is on.
  }
}

function store(key, word) {
  try {
    localStorage.setItem(key, word);
  } catch {
    // Not remembered: the choice lasts as long as the page.
  }
}

/**
 * Wires `button`, which says "`words`: on" or "off" and changes it; remembered as `name` in this browser. `onShow(on)` is called now and
 * after each change. Returns what tells whether it is on.
 */
export function remembered(button, name, words, onShow) {
  const key = `roomtone.${name}`;
  let on = stored(key) !== "off";
  const show = () => {
    write(button, `${words}: ${on ? "on" : "off"}`);
    onShow(on);
  };
  button.addEventListener("click", () => {
    on = !on;
    store(key, on ? "on" : "off");
    show();
  });
  show();
  button.hidden = false;
  return () => on;
}
