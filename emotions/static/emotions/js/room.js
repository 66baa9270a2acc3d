// The room camera's page: pictures of the whole room to the server, and how many faces were counted back.

import { FrameSocket } from "./camera/frame-socket.js";
import { LOOKING, Panel, part } from "./camera/panel.js";
import { Camera, aRoom } from "./camera/source.js";
import { keepAwake, letSleep } from "./camera/wake-lock.js";
import { CODE } from "./closing.js";

const GONE = "The declaration is no longer in force: nothing is read. Reload the page to make it again.";
const CLOSED = {
  [CODE.NOT_JOINED]: "You are signed out, and nothing is read any more. Sign in again.",
  [CODE.NO_SUCH_SESSION]: "This session is no longer yours.",
  [CODE.TAKEN_OVER]: "The room camera was opened in another window. This one has stopped.",
  [CODE.SESSION_ENDED]: "The session has ended, and the camera with it.",
  [CODE.WITHDRAWN]: GONE,
};
const REJECTED = "The server did not take the last picture. It goes on by itself.";
const REFUSED = {
  no_consent: GONE,
  too_large: "The picture is too detailed to be sent. Another camera, or less light from behind, may help.",
};

const config = JSON.parse(document.querySelector("#room-config").textContent);
const socket = new FrameSocket(config.ws_path);
let epoch = null; // Until the server has said which declaration counts, nothing is sent.

function facesLine({ faces, uncertain, needed, too_dark }) {
  if (too_dark && faces === null) return "It is too dark to read faces. Nothing of this picture is kept.";
  if (faces === null) return `Fewer than ${needed} faces are found, so nothing of this picture is kept.`;
  return `${faces} faces counted${uncertain ? ` · unsure about ${uncertain}` : ""}`;
}

const handlers = {
  welcome({ consent_epoch, interval_ms }) {
    epoch = consent_epoch;
    socket.send({ type: "hello", client_ms: Date.now() });
    panel.every(interval_ms);
    panel.say(LOOKING);
  },
  "room.read": (answer) => panel.read(facesLine(answer)),
  "frame.replaced": () => panel.answered(),
  "frame.rejected": ({ reason }) => panel.answered(REFUSED[reason] ?? REJECTED),
  "consent.changed": ({ consent_epoch }) => (epoch = consent_epoch),
};

const panel = new Panel(new Camera(part("video"), aRoom(config.width, config.height)), socket, {
  handlers,
  closed: CLOSED,
  begin() {
    panel.say("Connecting");
    keepAwake();
    socket.connect();
  },
  sample: () => panel.send(() => epoch),
  lost: () => (epoch = null),
  stopped: letSleep,
});
