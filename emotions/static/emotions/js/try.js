// The try page: every face in one's own picture, boxed and named. Asks first; twice a second; nothing is stored. Read on
// the server, or on this device: then there is no socket, and nothing is sent at all.

import { FrameSocket } from "./camera/frame-socket.js";
import { Overlay } from "./camera/overlay.js";
import { LOOKING, Panel, part } from "./camera/panel.js";
import { Camera } from "./camera/source.js";
import { CODE } from "./closing.js";
import { Place } from "./device/place.js";
import { UNREAD_HERE, sureness } from "./camera/words.js";
import { LABELS, NAMES, percent } from "./labels.js";

const EVERY_MS = 550; // The server takes two a second.
const OLD_MS = 4000; // A reading older than this, or than three intervals, is not shown as if it were now.
const CLOSED = {
  [CODE.NO_SUCH_SESSION]: "Trying it out has been switched off on this server.",
  [CODE.TOO_MANY]: "Too many people are trying it out at this moment. Wait a minute, then start again.",
};
const BUSY = "Busy: a class is in session and goes first. It goes on by itself.";
const REJECTED = "The server did not take the last picture. It goes on by itself.";
const NO_DEVICE = "What reads pictures on this device did not load, or does not run in this browser. Nothing was sent. Start again to try once more.";

const config = JSON.parse(document.querySelector("#try-config").textContent);
const place = new Place(config.place, config.device, "nothing is sent");
const camera = new Camera(part("video"));
const overlay = new Overlay(part("boxes"));
const socket = new FrameSocket(document.querySelector("[data-socket]").dataset.socket, { greeted: false });
const bars = LABELS.map(newBar);
let readAt = Infinity; // When what is shown was read.
let counted = ""; // In words.

// -- What is shown

function newBar(label) {
  const row = document.createElement("li");
  row.className = `share ${label}`;
  const [name, bar, number] = ["span", "span", "span"].map((tag) => document.createElement(tag));
  name.textContent = NAMES[label];
  bar.className = "bar";
  number.textContent = "–";
  row.append(name, bar, number);
  part("shares").append(row);
  return { bar, number };
}

function showShares(probabilities) {
  bars.forEach(({ bar, number }, index) => {
    bar.style.setProperty("--share", probabilities ? probabilities[index] : 0);
    number.textContent = probabilities ? percent(probabilities[index]) : "–";
  });
}

function facesLine({ faces, too_dark }) {
  if (too_dark) return "It is too dark to read a face. A lamp or a window in front of you helps.";
  if (!faces.length) return "No face in the picture.";
  const unsure = faces.filter((face) => face.uncertain).length;
  const count = faces.length === 1 ? "One face" : `${faces.length} faces`;
  return unsure ? `${count} · ${unsure === faces.length ? "unsure" : `unsure about ${unsure}`}` : count;
}

function show(reading) {
  const words = (face) => `${NAMES[face.label]} · ${percent(face.confidence)}, ${sureness(face.uncertain)}`;
  overlay.show(reading.faces.map((face) => ({ ...face, words: words(face) })));
  showShares(reading.faces[0]?.probabilities);
  readAt = performance.now();
  counted = facesLine(reading);
  panel.read(counted);
}

function clear() {
  overlay.clear();
  showShares(null);
  readAt = Infinity;
}

/** Takes away what was read too long ago. */
function forget() {
  if (performance.now() - readAt < Math.max(OLD_MS, 3 * place.interval(EVERY_MS))) return;
  clear();
  if (panel.words === counted) panel.say(LOOKING);
}

// -- Pictures

function begin() {
  if (place.onDevice) return beginHere();
  panel.say("Connecting");
  panel.every(EVERY_MS);
  return socket.connect();
}

async function beginHere() {
  panel.say("Loading what this device needs");
  await place.open();
  if (!camera.open || !place.onDevice) return undefined;
  if (place.failed) return panel.stop(NO_DEVICE);
  panel.every(place.interval(EVERY_MS));
  return panel.say(LOOKING);
}

async function sampleHere() {
  const shot = await camera.grab({ raw: true });
  if (!shot || !place.ready) return;
  panel.owes();
  const reading = await place.read(shot, true);
  if (reading && camera.open && place.onDevice) show({ faces: reading.faces.map(named), too_dark: reading.dark });
  else panel.answered();
}

/** As the server says it: the likeliest label, and whether it is a guess. */
function named({ box, probabilities }) {
  const confidence = Math.max(...probabilities);
  const best = probabilities.indexOf(confidence);
  return { box, label: LABELS[best], confidence, uncertain: place.isUncertain(probabilities, best), probabilities };
}

const handlers = {
  "try.reading": show,
  "try.busy": () => panel.answered(BUSY),
  "frame.replaced": () => panel.answered(),
  "frame.rejected": () => panel.answered(REJECTED),
};

const panel = new Panel(camera, socket, {
  handlers,
  closed: CLOSED,
  begin,
  opened: () => panel.say(LOOKING),
  sample: () => (place.onDevice ? sampleHere() : panel.send(() => 0)),
  tick: forget,
  lost: clear,
  unread: () => (place.onDevice ? UNREAD_HERE : undefined),
});

// -- Where pictures are read

function showPlace() {
  part("place").textContent = place.line(EVERY_MS);
  part("place-switch").hidden = !place.choosable;
  part("place-switch").textContent = place.onDevice ? "Let the server read them" : "Read them on this device";
}

/** While the browser asks, what it asks for stays the same: the camera, wherever its pictures are read. */
function switchPlace() {
  const running = camera.open;
  if (!panel.asking) panel.stop();
  place.switch();
  if (running) panel.start();
}

place.addEventListener("changed", showPlace);
part("place-switch").addEventListener("click", switchPlace);
showPlace();
