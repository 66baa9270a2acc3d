// The try page: every face in one's own picture, boxed and named. Asks first; twice a second; nothing is stored.

import { packFrame } from "./camera/frame.js";
import { LiveSocket } from "./camera/live-socket.js";
import { Overlay } from "./camera/overlay.js";
import { Camera, CameraProblem } from "./camera/source.js";
import { LABELS, NAMES, PROBLEMS, percent, sureness } from "./camera/words.js";

const EVERY_MS = 550; // The server takes two a second.
const part = (name) => document.querySelector(`[data-part="${name}"]`);
const CLOSED = {
  4404: "Trying it out has been switched off on this server.",
  4429: "Too many people are trying it out at this moment. Wait a minute, then start again.",
};

const camera = new Camera(part("video"));
const overlay = new Overlay(part("boxes"));
const socket = new LiveSocket(document.querySelector("[data-socket]").dataset.socket);
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

function say(words) {
  if (part("line").textContent !== words) part("line").textContent = words;
}

function facesLine({ faces, too_dark }) {
  if (too_dark) return "It is too dark to read a face. A lamp or a window in front of you helps.";
  if (!faces.length) return "No face in the picture.";
  const unsure = faces.filter((face) => face.uncertain).length;
  const count = faces.length === 1 ? "One face" : `${faces.length} faces`;
  return unsure ? `${count} · ${unsure === faces.length ? "unsure" : `unsure about ${unsure}`}` : count;
}

function show(reading) {
  const named = (face) => `${NAMES[face.label]} · ${percent(face.confidence)}, ${sureness(face.confidence, face.uncertain)}`;
  overlay.show(reading.faces.map((face) => ({ ...face, words: named(face) })));
  showShares(reading.faces[0]?.probabilities);
  say(facesLine(reading));
}

// -- The camera

function look({ running, problem = null }) {
  part("veil").hidden = running;
  part("stop").hidden = !running;
  part("problem").hidden = !problem;
  part("line").hidden = Boolean(problem);
  if (problem) part("problem-words").textContent = PROBLEMS[problem].words;
}

async function start() {
  look({ running: false });
  say("Your browser asks whether this page may use your camera. Choose Allow.");
  try {
    await camera.start();
  } catch (error) {
    if (!(error instanceof CameraProblem)) throw error;
    return look({ running: false, problem: error.problem });
  }
  look({ running: true });
  say("Connecting");
  clock.postMessage({ every: EVERY_MS });
  return socket.connect();
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
  if (grabbing || !socket.drained || owed > 1) return;
  grabbing = true;
  try {
    const shot = await camera.grab();
    if (shot && socket.send(packFrame(sequence, shot.captured_ms, 0, shot.jpeg))) {
      sequence += 1;
      owed += 1;
    }
  } finally {
    grabbing = false;
  }
}

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
camera.addEventListener("still", () => look({ running: true, problem: "still" }));
camera.addEventListener("moving", () => look({ running: true }));
part("start").addEventListener("click", start);
part("again").addEventListener("click", start);
part("stop").addEventListener("click", () => stop());
addEventListener("pagehide", () => stop());
