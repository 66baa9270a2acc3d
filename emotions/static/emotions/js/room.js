// The room camera's page: pictures of the whole room to the server, and how many faces were counted back.

import { packFrame } from "./camera/frame.js";
import { FrameSocket } from "./camera/frame-socket.js";
import { look, part, say, switchOn, wire } from "./camera/panel.js";
import { Camera, aRoom } from "./camera/source.js";
import { keepAwake, letSleep } from "./camera/wake-lock.js";

const UNREAD_MS = 10000; // So long without an answer is no bad luck.
const GONE = "The declaration is no longer in force: nothing is read. Reload the page to make it again.";
const CLOSED = {
  4401: "You are signed out, and nothing is read any more. Sign in again.",
  4404: "This session is no longer yours.",
  4409: "The room camera was opened in another window. This one has stopped.",
  4410: "The session has ended, and the camera with it.",
  4411: GONE,
  4426: "Roomtone was updated. Reload the page to go on.",
};
const REFUSED = {
  no_consent: GONE,
  too_large: "The picture is too detailed to be sent. Another camera, or less light from behind, may help.",
};
const UNREAD = "Nobody reads the pictures just now: a part of the server is down or has too much to do. It goes on by itself.";

const config = JSON.parse(document.querySelector("#room-config").textContent);
const camera = new Camera(part("video"), aRoom(config.width, config.height));
const socket = new FrameSocket(config.ws_path);
const clock = new Worker(new URL("./camera/clock.js", import.meta.url));
let epoch = null; // Until the server has said which declaration counts, nothing is sent.
let sequence = 0;
let owed = 0;
let heard = 0;
let grabbing = false;

// -- What is shown

function facesLine({ faces, uncertain, needed, too_dark }) {
  if (too_dark && faces === null) return "It is too dark to read faces. Nothing of this picture is kept.";
  if (faces === null) return `Fewer than ${needed} faces are found, so nothing of this picture is kept.`;
  return `${faces} faces counted${uncertain ? ` · unsure about ${uncertain}` : ""}`;
}

// -- The camera

async function start() {
  if (!(await switchOn(camera))) return undefined;
  say("Connecting");
  keepAwake();
  return socket.connect();
}

function stop(words = "The camera is off.", problem = null) {
  clock.postMessage({ every: 0 });
  socket.close();
  camera.close();
  letSleep();
  epoch = null;
  look({ running: false, problem });
  say(words);
}

async function sample() {
  if (grabbing || epoch === null || !socket.drained || owed > 1) return;
  grabbing = true;
  try {
    const shot = await camera.grab();
    if (shot && epoch !== null && socket.send(packFrame(sequence, shot.captured_ms, epoch, shot.jpeg))) {
      sequence += 1;
      owed += 1;
    }
  } finally {
    grabbing = false;
  }
}

// -- The server

const handlers = {
  welcome: ({ consent_epoch, interval_ms }) => {
    epoch = consent_epoch;
    heard = performance.now();
    socket.send({ type: "hello", client_ms: Date.now() });
    clock.postMessage({ every: interval_ms });
    say("Looking for faces");
  },
  "room.read": (answer) => answered(facesLine(answer)),
  "frame.replaced": () => answered(),
  "frame.rejected": ({ reason }) => answered(REFUSED[reason] ?? "The server did not take the last picture. It goes on by itself."),
  "consent.changed": ({ consent_epoch }) => (epoch = consent_epoch),
};

function answered(words = "") {
  owed = Math.max(0, owed - 1);
  if (!words) return;
  heard = performance.now();
  say(words);
}

socket.onmessage = (message) => handlers[message.type]?.(message);

socket.onstate = (connection, detail) => {
  owed = 0;
  epoch = null;
  if (connection === "waiting") say("The connection is gone. It comes back by itself.");
  if (connection === "closed") stop(CLOSED[detail] ?? "The server closed the connection. Start again.");
};

clock.onmessage = () => {
  if (owed) socket.checkAlive();
  if (epoch !== null && owed && performance.now() - heard > UNREAD_MS) {
    owed = 0; // Those are gone: a picture lives for seconds.
    say(UNREAD);
  }
  sample();
};
camera.addEventListener("ended", () => stop("The camera is off.", "unplugged"));
camera.addEventListener("broken", () => stop("The camera is off.", "broken"));
camera.addEventListener("still", () => look({ running: true, problem: "still" }));
camera.addEventListener("moving", () => look({ running: true }));
wire(start, stop);
addEventListener("pagehide", () => stop());
