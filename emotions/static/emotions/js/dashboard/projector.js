// The page for the wall: large, and without names.

const isOn = () => document.body.classList.contains("projector");

function turn(on, button) {
  document.body.classList.toggle("projector", on);
  button.setAttribute("aria-pressed", String(on));
  if (on) document.documentElement.requestFullscreen?.().catch(() => {}); // Without it the page is only less large.
  else if (document.fullscreenElement) document.exitFullscreen();
  dispatchEvent(new Event("resize"));
}

/** Wires the button; returns what keys may do: `toggle` and `leave`. */
export function projector(button) {
  const toggle = () => turn(!isOn(), button);
  const leave = () => isOn() && turn(false, button);
  button.addEventListener("click", toggle);
  button.disabled = false;
  document.addEventListener("fullscreenchange", () => !document.fullscreenElement && leave());
  return { toggle, leave };
}
