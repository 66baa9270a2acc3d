// One camera's place on a page: the veil before it, a line of words under it, what is wrong with it; and its pictures, one
// at a time, by a worker's clock.

import { packFrame } from "./frame.js";
import { CameraProblem } from "./source.js";
import { PROBLEMS } from "./words.js";
import { CODE } from "../closing.js";
import { loadAnew } from "../page-format.js";

const UNREAD_MS = 10000; // So long without an answer is no bad luck.
const COUNTS_MS = 10000; // A screen reader hears counts at most so often.
const BUTTONS = ["stop", "again", "start"]; // Of those that can be pressed, the first gets the focus that another one loses.
const OFF = "The camera is off.";
const ASKING = "Your browser asks whether this page may use your camera. Choose Allow.";
const GONE = "The connection is gone. It comes back by itself.";
const CLOSED = "The server closed the connection. Start again.";
const UPDATED = "Roomtone was updated. This page loads anew by itself within a minute. Then start the camera again.";
const UNREAD = "Nobody reads the pictures just now: a part of the server is down or has too much to do. It goes on by itself.";
// Without a press, these pages take no camera.
const BROKEN = "A part of this page did not load, so no picture is read. When the connection is back, press Try again.";
export const LOOKING = "Looking for faces";

export const part = (name) => document.querySelector(`[data-part="${name}"]`);

function put(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/** What two pages with one camera have in common. What is a page's own it gives as `page`:
 *
 *  `begin()`: the camera is on: connect, and call `every` when pictures are to be taken.
 *  `sample()`: take one picture, most often with `send`; a promise. Called by the clock, one at a time.
 *  `lost()`: what was shown, and agreed with the server, counts no more: the line changed, or the camera went off.
 *  `stopped()`, `opened()`, `tick()`: if any. The camera went off; the socket opened; the clock ticked.
 *  `unread()`: if any: the words for pictures that nobody reads.
 *  `handlers`: of the server's messages, by type. What answers a picture calls `read` or `answered`.
 *  `closed`: the words for the codes with which the server closes for good.
 */
export class Panel {
  #camera;
  #socket;
  #page;
  #clock = new Worker(new URL("./clock.js", import.meta.url));
  #asking = 0;
  #grabbing = false;
  #sequence = 0;
  #owed = 0; // Pictures without an answer.
  #unreadSince = null; // When the first of the pictures was taken of which there is nothing to say yet.
  #counted = -Infinity; // When a count was last said aloud.

  /** Gives the panel's buttons their work. Until then `start` is disabled: a press before the script has come would be lost. */
  constructor(camera, socket, page) {
    [this.#camera, this.#socket, this.#page] = [camera, socket, page];
    this.#clock.onmessage = () => this.#tick();
    socket.onmessage = (message) => page.handlers[message.type]?.(message);
    socket.onstate = (connection, code) => this.#connection(connection, code);
    camera.addEventListener("ended", () => this.stop(OFF, "unplugged"));
    camera.addEventListener("broken", () => this.stop(OFF, "broken"));
    camera.addEventListener("still", () => this.#look({ running: true, problem: "still" }));
    camera.addEventListener("moving", () => this.#look({ running: true }));
    part("start").addEventListener("click", () => this.start());
    part("again").addEventListener("click", () => this.start());
    part("stop").addEventListener("click", () => this.stop());
    addEventListener("pagehide", () => this.stop());
    part("start").disabled = false;
  }

  /** Whether the browser is asking for the camera. */
  get asking() {
    return this.#asking > 0;
  }

  get words() {
    return part("line").textContent;
  }

  async start() {
    if (await this.#switchOn()) await this.#page.begin();
  }

  /** `problem`: what is wrong with the camera (words.js), if that is why. */
  stop(words = OFF, problem = null) {
    this.every(0);
    this.#socket.close();
    this.#camera.close();
    this.#lost();
    this.#page.stopped?.();
    this.#look({ running: false, problem });
    this.say(words);
  }

  /** From now on the clock ticks every `ms`; 0: not at all. */
  every(ms) {
    this.#clock.postMessage({ every: ms });
  }

  // -- Words

  /** A state: it is said aloud at once. */
  say(words) {
    put(part("line"), words);
    put(part("announcer"), words);
  }

  /** What changes with every picture. */
  #count(words) {
    put(part("line"), words);
    if (performance.now() - this.#counted < COUNTS_MS) return;
    this.#counted = performance.now();
    put(part("announcer"), words);
  }

  // -- Pictures

  /** Takes a picture and sends it, unless two are unanswered or the last one has not left yet. `epoch()`: the one under
   *  which it is sent, or null as long as none may be. */
  async send(epoch) {
    if (epoch() === null || !this.#socket.drained || this.#owed > 1) return;
    const shot = await this.#camera.grab();
    if (!shot || epoch() === null) return;
    if (!this.#socket.send(packFrame(this.#sequence, shot.captured_ms, epoch(), shot.jpeg))) return;
    this.#sequence += 1;
    this.owes();
  }

  /** A picture is with whoever reads it: `read` or `answered` follows. */
  owes() {
    this.#owed += 1;
    this.#unreadSince ??= performance.now();
  }

  /** A picture was read: what was counted in it, in words. */
  read(words) {
    this.answered();
    this.#unreadSince = null;
    this.#count(words);
  }

  /** A picture was not read; `words`: why, where that is known. */
  answered(words = "") {
    this.#owed = Math.max(0, this.#owed - 1);
    if (!words) return;
    this.#unreadSince = null;
    this.say(words);
  }

  #tick() {
    if (this.#owed) this.#socket.checkAlive();
    if (this.#unreadSince !== null && performance.now() - this.#unreadSince > UNREAD_MS) {
      this.#owed = 0; // Those are gone: a picture lives for seconds.
      this.say(this.#page.unread?.() ?? UNREAD);
    }
    this.#page.tick?.();
    this.#sample();
  }

  async #sample() {
    if (this.#grabbing) return;
    this.#grabbing = true;
    try {
      await this.#page.sample();
    } finally {
      this.#grabbing = false;
    }
  }

  // -- The camera

  /** Whether the camera is on now; where it is not, the page says why. */
  async #switchOn() {
    this.#look({ running: false });
    this.say(ASKING);
    this.#asking += 1;
    try {
      if (!(await this.#camera.start())) return false;
    } catch (error) {
      if (!(error instanceof CameraProblem)) throw error;
      this.say(OFF);
      this.#look({ running: false, problem: error.problem });
      return false;
    } finally {
      this.#asking -= 1;
    }
    this.#look({ running: true });
    return true;
  }

  #look({ running, problem = null }) {
    const held = BUTTONS.map(part).find((button) => button === document.activeElement);
    part("veil").hidden = running;
    part("stop").hidden = !running;
    part("problem").hidden = !problem;
    part("line").hidden = Boolean(problem);
    if (problem) part("problem-words").textContent = problem === "broken" ? BROKEN : PROBLEMS[problem].words;
    if (held?.closest("[hidden]")) BUTTONS.map(part).find((button) => !button.closest("[hidden]")).focus();
  }

  // -- The server

  #connection(connection, code) {
    this.#lost();
    if (connection === "open") this.#page.opened?.();
    if (connection === "waiting") this.say(GONE);
    if (connection === "closed") this.#closed(code);
  }

  #lost() {
    this.#owed = 0;
    this.#unreadSince = null;
    this.#page.lost();
  }

  #closed(code) {
    this.stop(code === CODE.OUTDATED ? UPDATED : (this.#page.closed[code] ?? CLOSED));
    if (code === CODE.OUTDATED) loadAnew();
  }
}
