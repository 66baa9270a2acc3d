// Keeps a phone's screen on while its camera is in use: a locked phone stops the camera.

let lock = null;
let wanted = false;

async function take() {
  if (!wanted || lock || document.hidden || !navigator.wakeLock) return;
  try {
    lock = await navigator.wakeLock.request("screen");
    lock.addEventListener("release", () => (lock = null));
  } catch (error) {
    // A low battery or the system's rules say no. The session works without it; the screen may go dark.
    console.info("The screen may go dark:", error.message);
  }
  if (!wanted) letSleep();
}

export function keepAwake() {
  wanted = true;
  return take();
}

export function letSleep() {
  wanted = false;
  return lock?.release();
}

document.addEventListener("visibilitychange", take);
