// The keys M and P can be switched off: who speaks to their computer, or misses a key, would press them without meaning it (WCAG 2.1.4).

import { write } from "./now.js";

const KEY = "roomtone.letter-keys";

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // Storage may be switched off: they act.
  }
}

function store(word) {
  try {
    localStorage.setItem(KEY, word);
  } catch {
    // Not remembered: the choice lasts as long as the page.
  }
}

/** Wires the button that says whether they act, and changes it; remembered in this browser. Returns what tells it. */
export function letterKeys(button) {
  let on = stored() !== "off";
  const show = () => {
    write(button, `Keys M and P: ${on ? "on" : "off"}`);
    document.body.classList.toggle("keys-off", !on);
  };
  button.addEventListener("click", () => {
    on = !on;
    store(on ? "on" : "off");
    show();
  });
  show();
  button.hidden = false;
  return () => on;
}
