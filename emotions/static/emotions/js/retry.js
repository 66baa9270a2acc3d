// When a socket that was closed is opened again.

const WAITS = [1, 2, 4, 8, 15]; // Seconds, after so many failures in a row.

/** Calls `open()` some time after each `failed()`: later and later until `succeeded()`, and at once where the browser is
 *  back on the net, or the page in front again: its timers may have slept. */
export class Retry {
  #open;
  #failures = 0;
  #timer = 0;

  constructor(open) {
    this.#open = open;
    addEventListener("online", () => this.#now());
    document.addEventListener("visibilitychange", () => document.hidden || this.#now());
  }

  /** Whether the last try failed, or what it opened has closed. */
  get failing() {
    return this.#failures > 0;
  }

  /** Returns the seconds until it is opened again. The jitter keeps a class from knocking all at once when the server is back. */
  failed() {
    this.cancel();
    const seconds = WAITS[Math.min(this.#failures++, WAITS.length - 1)] * (1 + Math.random() / 2);
    this.#timer = setTimeout(() => this.#now(), seconds * 1000);
    return seconds;
  }

  succeeded() {
    this.#failures = 0;
  }

  /** Nothing is opened until the next failure. */
  cancel() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  #now() {
    if (!this.#timer) return;
    this.cancel();
    this.#open();
  }
}
