// The try page: every face in one's own picture, boxed and named. Asks first; twice a second; nothing is stored. Read on
// the server, or on this device: then there is no socket, and nothing is sent at all.

import { packFrame } from "./camera/frame.js";
import { FrameSocket } from "./camera/frame-socket.js";
import { Overlay } from "./camera/overlay.js";
import { look, part, say, switchOn, wire } from "./camera/panel.js";
import { Camera } from "./camera/source.js";
import { Place } from "./device/place.js";
import { sureness } from "./camera/words.js";
import { LABELS, NAMES, percent } from "./labels.js";

const EVERY_MS = 550; // The server takes two a second.
const CLOSED = {
  4404: "Trying it out has been switched off on this server.",
  4426: "Roomtone was updated. Reload the page to go on.",
  4429: "Too many people are trying it out at this moment. Wait a minute, then start again.",
};

const config = JSON.parse(document.querySelector("#try-config").textContent);
const place = new Place(config.place, config.device, "nothing is sent");
const camera = new Camera(part("video"));
const overlay = new Overlay(part("boxes"));
const socket = new FrameSocket(document.querySelector("[data-socket]").dataset.socket, { greeted: false });
const clock = new Worker(new URL("./camera/clock.js", import.meta.url));
const bars = LABELS.map(newBar);
let sequence = 0;
let owed = 0;
let grabbing = false;

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
  say(facesLine(reading));
}

// -- The camera

async function start() {
  if (!(await switchOn(camera))) return undefined;
  if (place.onDevice) return startHere();
  say("Connecting");
  clock.postMessage({ every: EVERY_MS });
  return socket.connect();
}

async function startHere() {
  say("Loading what this device needs");
  await place.open();
  if (!camera.open || !place.onDevice) return undefined;
  if (place.failed) return stop("This browser can't read pictures by itself. Nothing was sent.");
  clock.postMessage({ every: place.interval(EVERY_MS) });
  return say("Looking for faces");
}

function stop(words = "The camera is off.", problem = null) {
  clock.postMessage({ every: 0 });
  socket.close();
  camera.close();
  overlay.clear();
  showShares(null);
  look({ running: false, problem });
  say(words);
}

async function sample() {
  if (grabbing || (!place.onDevice && (!socket.drained || owed > 1))) return;
  grabbing = true;
  try {
    if (place.onDevice) return await sampleHere();
    const shot = await camera.grab();
    if (shot && socket.send(packFrame(sequence, shot.captured_ms, 0, shot.jpeg))) {
      sequence += 1;
      owed += 1;
    }
  } finally {
    grabbing = false;
  }
  return undefined;
}

async function sampleHere() {
  const shot = await camera.grab({ raw: true });
  const reading = shot && place.ready && (await place.read(shot, true));
  if (reading && camera.open && place.onDevice) show({ faces: reading.faces.map(named), too_dark: reading.dark });
}

/** As the server says it: the likeliest label, and whether it is a guess. */
function named({ box, probabilities }) {
  const confidence = Math.max(...probabilities);
  const best = probabilities.indexOf(confidence);
  return { box, label: LABELS[best], confidence, uncertain: place.isUncertain(probabilities, best), probabilities };
}

// -- Where pictures are read

function showPlace() {
  part("place").textContent = place.line(EVERY_MS);
  part("place-switch").hidden = !place.choosable;
  part("place-switch").textContent = place.onDevice ? "Let the server read them" : "Read them on this device";
}

place.addEventListener("changed", showPlace);
part("place-switch").addEventListener("click", () => {
  const running = camera.open;
  stop();
  place.switch();
  if (running) start();
});
showPlace();

// -- The server

const handlers = {
  "try.reading": show,
  "try.busy": () => say("Busy: a class is in session and goes first. It goes on by itself."),
  "frame.rejected": () => say("The server did not take the last picture. It goes on by itself."),
};

socket.onmessage = (message) => {
  owed = Math.max(0, owed - 1);
  handlers[message.type]?.(message);
};

socket.onstate = (connection, detail) => {
  owed = 0;
  if (connection === "open") say("Looking for faces");
  if (connection === "waiting") say("The connection is gone. It comes back by itself.");
  if (connection === "closed") stop(CLOSED[detail] ?? "The server closed the connection. Start again.");
};

clock.onmessage = () => {
  if (owed) socket.checkAlive();
  sample();
};
camera.addEventListener("ended", () => stop("The camera is off.", "unplugged"));
camera.addEventListener("broken", () => stop("The camera is off.", "broken"));
camera.addEventListener("still", () => look({ running: true, problem: "still" }));
camera.addEventListener("moving", () => look({ running: true }));
wire(start, stop);
addEventListener("pagehide", () => stop());
