// What a student sees: one state in, the whole page out. It decides nothing.

import { Overlay } from "./overlay.js";
import { NAMES } from "../labels.js";
import { ACTIONS, ENDINGS, ENDINGS_WITHOUT_CAMERA, FRAMING, OTHER_ENDING, PROBLEMS, STILL_IN, UNREAD, UNREAD_HERE, readingLine, sureness } from "./words.js";

const ANNOUNCE_MS = 10000; // A screen reader hears a changed reading at most so often.
const VEILS = { asking: "Your browser asks whether this page may use your camera. Choose Allow.", paused: "Paused. Your camera is off." };
const part = (name) => document.querySelector(`[data-part="${name}"]`);

function put(element, words) {
  if (element && element.textContent !== words) element.textContent = words;
}

/** The keyboard's focus was on `focused`: where that is hidden now, it goes on to `next`, not to the top of the page. */
function carryFocus(focused, next) {
  if (focused?.closest("[hidden]")) next.focus();
}

/** Not while the button rests. */
const pressed = (action) => ({ currentTarget }) => currentTarget.getAttribute("aria-disabled") !== "true" && action();

export class StudentView {
  #overlay = null;
  #announced = -Infinity;
  #spoken = "";
  #lost = false; // From the first failure until the connection is back, a screen reader hears one word of it.
  #title = document.title;

  constructor() {
    if (part("boxes")) this.#overlay = new Overlay(part("boxes"));
  }

  get video() {
    return part("video");
  }

  /** `actions`: { pause(), again(), place(), word(value), hand(), go(), end(action) }. What the class says is disabled
   *  until then: a press before the script has come would be lost. */
  listen(actions) {
    part("pause")?.addEventListener("click", pressed(actions.pause));
    part("again")?.addEventListener("click", actions.again);
    part("place-switch")?.addEventListener("click", actions.place);
    for (const button of document.querySelectorAll("[data-word]")) {
      button.addEventListener("click", () => actions.word(button.dataset.word));
      button.disabled = false;
    }
    part("hand").addEventListener("click", pressed(actions.hand));
    part("hand").disabled = false;
    for (const form of document.querySelectorAll("[data-goes]")) form.addEventListener("submit", actions.go);
    part("ending-action").addEventListener("click", (event) => actions.end(event.currentTarget.dataset.action));
  }

  /** `connection`: connecting | open | waiting | closed; `camera`: none | asking | on | paused | problem. */
  render(state) {
    const words = this.#stateWords(state);
    put(part("state"), words);
    this.#lost = state.connection === "waiting" || (this.#lost && state.connection === "connecting");
    this.#speak(this.#lost ? "Reconnecting" : words);
    part("state").classList.toggle("on", words === "Live");
    document.title = words === "Live" || words === "Connected" ? this.#title : `${words} · ${this.#title}`;
    if (this.#overlay) this.#renderCamera(state);
  }

  /** Where pictures are read, in words; `other`: what the button changes it to, "" where nothing can be chosen;
   *  `onDevice`: whether only numbers are sent. */
  place(words, other, onDevice) {
    put(part("place"), words);
    put(part("sent-word"), onDevice ? "Read here, numbers sent" : "Sent");
    if (!part("place-switch")) return;
    part("place-switch").hidden = !other;
    put(part("place-switch"), other);
  }

  counts(counts) {
    for (const cell of document.querySelectorAll("[data-count]")) put(cell, String(counts[cell.dataset.count]));
    put(part("readings"), counts.read === 1 ? "reading" : "readings");
  }

  checkIn(words, pressed) {
    put(part("pace-answer"), words);
    for (const button of document.querySelectorAll("[data-word]")) {
      button.setAttribute("aria-pressed", String(button.dataset.word === pressed));
    }
  }

  /** `up`: whether the server knows the hand as raised; null while it hasn't answered: the button rests, and keeps the
   *  keyboard's focus. */
  hand(up, words) {
    const button = part("hand");
    button.setAttribute("aria-disabled", String(up === null));
    if (up !== null) {
      button.dataset.up = String(up);
      put(button, up ? "Lower my hand" : "Raise my hand");
    }
    put(part("hand-answer"), words);
  }

  get handIsUp() {
    return part("hand").dataset.up === "true";
  }

  /** What the teacher's page says of this student; "" for nothing. */
  attention(words) {
    put(part("attention"), words);
    part("attention").hidden = !words;
  }

  /** Whether a camera sees the room. */
  room(there) {
    part("room").hidden = !there;
  }

  /** The page's last word, or (code null) back to the page itself. */
  ending(code) {
    const focused = document.activeElement;
    part("page").hidden = code !== null;
    part("ending").hidden = code === null;
    if (code === null) return carryFocus(focused, part("pause") ?? part("hand"));
    const without = this.video ? {} : ENDINGS_WITHOUT_CAMERA[code];
    const { title, words, action } = { ...(ENDINGS[code] ?? OTHER_ENDING), ...without };
    put(part("ending-title"), title);
    put(part("ending-words"), words);
    part("ending-action").hidden = !action;
    part("ending-action").dataset.action = action ?? "";
    put(part("ending-action"), ACTIONS[action] ?? "");
    return part("ending").focus();
  }

  #stateWords({ connection, seconds, camera, refused, unread }) {
    if (connection === "closed") return "Closed";
    if (connection === "waiting") return `Reconnecting in ${Math.max(1, Math.ceil(seconds))} s`;
    if (connection === "connecting") return "Connecting";
    if (camera === "on" && refused) return "Not taken";
    if (camera === "on" && unread) return "No reading";
    return { none: "Connected", asking: "Camera?", on: "Live", paused: "Paused", problem: "No camera" }[camera];
  }

  #renderCamera(state) {
    const { camera, problem, reading } = state;
    const failed = camera === "problem";
    const focused = document.activeElement; // A browser takes the focus from what is hidden, some at once.
    part("problem").hidden = !failed;
    part("line").hidden = failed;
    if (problem) put(part("problem-words"), `${PROBLEMS[problem].words} ${STILL_IN}`);
    part("stage").hidden = failed && problem !== "still";
    part("veil").hidden = camera === "on" || problem === "still";
    put(part("veil"), VEILS[camera] ?? "");
    this.#renderPause(state);
    carryFocus(focused, part(failed ? "again" : "pause"));
    this.#renderLine(state);
    if (camera === "on" && reading?.box) this.#overlay.show([{ ...reading, words: NAMES[reading.label] }]);
    else this.#overlay.clear();
    if (reading?.label) put(part("last"), ` · last: ${NAMES[reading.label]}, ${sureness(reading.uncertain)}`);
  }

  #renderPause({ camera, problem }) {
    const button = part("pause");
    button.hidden = camera === "problem" && problem !== "still"; // A camera that stands still may move again.
    button.disabled = false;
    button.setAttribute("aria-disabled", String(camera === "asking")); // It rests, and keeps the keyboard's focus.
    put(button, camera === "paused" ? "Go on measuring" : "Pause my camera");
  }

  #renderLine(state) {
    const [words, help] = lineWords(state);
    put(part("line"), words);
    part("line").classList.toggle("help", help);
    if (state.reading) this.#announce(words);
  }

  // A screen reader hears a change of state at once; the seconds of a count-down, and every new reading, it does not.
  #speak(words) {
    if (words === this.#spoken) return;
    this.#spoken = words;
    put(part("announcer"), words);
  }

  #announce(words) {
    const now = performance.now();
    if (part("announcer").textContent === words || now - this.#announced < ANNOUNCE_MS) return;
    this.#announced = now;
    put(part("announcer"), words);
  }
}

function lineWords({ connection, camera, reading, refused, unread }) {
  if (camera === "paused") return ["Nothing is measured while you pause.", false];
  if (camera === "asking") return ["Nothing is measured yet.", false];
  if (connection !== "open") return ["Nothing is measured until the connection is back. It comes back by itself.", false];
  if (refused) return ["Your pictures are not taken at this moment. Reload the page if it stays so.", true];
  if (unread) return [unread === "device" ? UNREAD_HERE : UNREAD, true];
  if (!reading) return ["Your reading appears here.", false];
  if (reading.help) return [FRAMING[reading.help], true];
  return [reading.label ? readingLine(reading) : FRAMING.no_face, !reading.label];
}
