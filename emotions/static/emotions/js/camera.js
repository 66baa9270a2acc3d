// The student's page. A worker's clock ticks; on each tick one picture is taken and sent, or read here, and what was read
// is sent (camera/sampler.js). The server answers everything; what it answers is shown.

import { Camera, CameraProblem } from "./camera/source.js";
import { FrameSocket } from "./camera/frame-socket.js";
import { Pause } from "./camera/pause.js";
import { Sampler } from "./camera/sampler.js";
import { Saying } from "./camera/saying.js";
import { StudentView } from "./camera/student-view.js";
import { keepAwake, letSleep } from "./camera/wake-lock.js";
import { CODE } from "./closing.js";
import { Place } from "./device/place.js";
import { loadAnew } from "./page-format.js";
import { PROBLEMS, attentionLine } from "./camera/words.js";

const config = JSON.parse(document.querySelector("#camera-config").textContent);
const OLD_MS = 4000; // A reading older than this, or than three intervals, is not shown as if it were now.
const UNREAD_MS = 10000; // So long without a reading is no bad luck.
const REOPEN_AFTER_MS = 3000;
const REOPEN_EVERY_MS = 60000;
const REFUSALS = ["no_consent", "old_epoch", "inference_off", "wrong_place", "unknown_model", "bad_reading"]; // Not this picture: any picture.
const CHANGED_MS = 3000;

const view = new StudentView();
const camera = view.video ? new Camera(view.video) : null;
const socket = new FrameSocket(config.ws_path);
const place = new Place(camera ? config.place : "server", config.device);
const pause = new Pause(config.participant_id);
const clock = new Worker(new URL("./camera/clock.js", import.meta.url));
const saying = new Saying(view, { connection: () => state.connection, send });
const sampler = new Sampler(camera, place, {
  drained: () => socket.drained,
  wanted: sending,
  epoch: () => epoch,
  send,
  counted: (counts) => view.counts(counts),
  unseen: (help) => shown({ label: null, box: null, help }),
});

const state = { connection: "connecting", seconds: 0, camera: camera ? "asking" : "none", problem: null, reading: null, refused: false, unread: null };
let epoch = config.consent_epoch;
let owed = false; // Something was sent since the server last answered.
let readAt = 0;
let reopenedAt = -REOPEN_EVERY_MS;
let wakeAt = Infinity; // When a camera that stands still may be taken once more.
let begun = false; // The server knows that readings come, not pictures.
let interval = config.interval_ms; // What the server asks for.
let told = null; // The camera state that the server knows.

function show(changes) {
  Object.assign(state, changes);
  view.render(state);
}

// -- The camera

function cameraState() {
  if (state.camera === "on") return "on";
  if (state.camera === "paused") return "paused";
  if (state.problem === "still" && document.hidden) return "hidden";
  return state.problem ? PROBLEMS[state.problem].state : "off";
}

function tell() {
  const now = cameraState();
  if (camera && now !== told && socket.send({ type: "camera.state", state: now })) told = now;
}

async function startCamera() {
  show({ camera: "asking", problem: null, reading: null });
  try {
    await camera.start();
  } catch (error) {
    if (!(error instanceof CameraProblem)) throw error;
    return stopped("problem", error.problem);
  }
  if (!camera.open) return undefined; // Closed while the browser was asking.
  keepAwake();
  show({ camera: "on" });
  return tell();
}

function stopped(mode, problem = null) {
  camera?.close();
  letSleep();
  show({ camera: camera ? mode : "none", problem, reading: null });
  tell();
}

/** The page itself starts or stops the camera: of one who has paused, nothing but a press changes that. */
function startUnlessPaused() {
  return pause.on ? stopped("paused") : startCamera();
}

function failed(problem) {
  return pause.on ? stopped("paused") : stopped("problem", problem);
}

function togglePause() {
  if (state.camera === "paused") return again();
  pause.begin();
  return stopped("paused");
}

/** The student wants the camera on: after a pause, or after a problem. */
function again() {
  pause.end();
  if (place.failed) place.open();
  return startCamera();
}

camera?.addEventListener("ended", () => failed("unplugged"));
camera?.addEventListener("broken", () => failed("broken"));
// A camera that was let go and taken again within a moment may come up dead: taking it once more wakes it.
function reopen() {
  const now = performance.now();
  if (state.problem !== "still" || document.hidden || now < wakeAt || now - reopenedAt < REOPEN_EVERY_MS) return;
  reopenedAt = now;
  startCamera();
}

// A page that comes to the front again gives its camera a moment to come along.
function giveTime() {
  wakeAt = performance.now() + REOPEN_AFTER_MS;
}

camera?.addEventListener("still", () => {
  show({ camera: "problem", problem: "still", reading: null });
  tell();
  giveTime();
});
camera?.addEventListener("moving", () => {
  show({ camera: "on", problem: null });
  tell();
});

// -- Pictures

/** Whether pictures could be read: not while this device loads what it needs for it. */
function readable() {
  return state.connection === "open" && epoch > 0 && begun === place.onDevice;
}

/** Whether pictures are taken and read. */
function sending() {
  return state.camera === "on" && readable();
}

/** What was read in the last picture. */
function shown(reading) {
  readAt = performance.now();
  if (state.camera === "on") show({ reading, refused: false });
}

/** Who owes a reading for too long now: "device" | "server" | null. */
function missing() {
  const since = performance.now() - Math.max(UNREAD_MS, 5 * place.interval(interval));
  if (!sending() || readAt > since) return null;
  return sampler.takenAt < since ? "device" : "server";
}

const isOld = () => performance.now() - readAt > Math.max(OLD_MS, 3 * place.interval(interval));

/** Whether the server is still there: asked after a long silence, and given up where it owes an answer for too long. */
function keepAlive() {
  if (socket.quiet) owed = socket.send({ type: "still.there" });
  if (owed) socket.checkAlive();
}

function tick() {
  keepAlive();
  show({ unread: missing(), reading: isOld() ? null : state.reading });
  reopen();
  if (!sending()) readAt = performance.now(); // The wait for a reading begins with the first picture.
  // A camera that stands still is looked at, too: nothing else would notice that it moves again.
  if (readable() && camera?.open && (state.camera === "on" || state.problem === "still")) sampler.sample();
}

clock.onmessage = tick;
// -- Where pictures are read

function showPlace() {
  const other = place.onDevice ? "Let the server read them" : "Read them on this device";
  view.place(place.line(interval), place.choosable ? other : "", place.onDevice);
  clock.postMessage({ every: place.interval(interval) });
}

/** Tell the server, before the first reading. A socket that has sent readings takes pictures only when it is new. */
function begin() {
  if (state.connection !== "open") return;
  if (begun && !place.onDevice) socket.connect();
  else if (!begun && place.onDevice && place.ready) begun = socket.send({ type: "device.began", model_version: place.version });
}

place.addEventListener("changed", () => {
  showPlace();
  begin();
  show({ reading: null }); // Of before: while a device loads what it needs, nothing is read.
  readAt = performance.now();
  if (place.failed) failed("no_device");
  else if (state.problem === "no_device") startCamera();
});

// -- What the server says

const handlers = {
  welcome(message) {
    epoch = message.consent_epoch;
    saying.handIs(0);
    view.attention(""); // The next message says otherwise where the teacher's page does.
    view.room(message.room);
    interval = message.interval_ms;
    show({ connection: "open" });
    showPlace();
    begin();
    tell();
    if (!agreed(message)) return makeAnew();
    if (state.problem === "broken") startCamera();
    if (place.failed) place.open();
    return undefined;
  },
  "room.changed": ({ room }) => view.room(room),
  "reading.own"(message) {
    answered(message.label ? "read" : "unseen");
    shown(message);
  },
  "still.here": () => (owed = false),
  "frame.replaced": () => answered("replaced"),
  "frame.rejected"({ reason }) {
    answered("rejected");
    // The page and the server don't agree about the network, or the place: until the page is made anew, or connects anew.
    if (["unknown_model", "wrong_place"].includes(reason)) begun = false;
    if (REFUSALS.includes(reason)) show({ reading: null, refused: true });
  },
  "check_in.saved"(message) {
    owed = false;
    saying.wordSaved(message);
  },
  "hand.changed"({ for_ms }) {
    owed = false;
    saying.handMoved(for_ms);
  },
  "attention.own"(message) {
    view.attention(attentionLine(message, (ms) => new Date(ms + config.offset_ms).toISOString().slice(11, 16)));
  },
  "consent.changed"(message) {
    epoch = message.consent_epoch;
    if (message.scope !== config.scope) location.reload(); // Another choice is another page.
  },
  "session.ended": () => end(CODE.SESSION_ENDED),
};

function answered(how) {
  owed = false;
  sampler.count(how);
}

/** Whether the server still has the answer to "may I be measured, by name, and where?" that the page was made for. */
function agreed({ scope, inference, place: where }) {
  const measured = scope !== "none" && inference;
  return scope === config.scope && measured === Boolean(camera) && (!camera || where === config.place);
}

function makeAnew() {
  letGo();
  show({ connection: "connecting", reading: null });
  setTimeout(() => location.reload(), CHANGED_MS); // Not at once: a page that is made the same again must not whirl.
}

socket.onmessage = (message) => handlers[message.type]?.(message);

// -- The connection

let counting = 0;

function countDown(seconds) {
  const until = performance.now() + seconds * 1000;
  counting = setInterval(() => show({ seconds: (until - performance.now()) / 1000 }), 1000);
}

socket.onstate = (connection, detail) => {
  clearInterval(counting);
  owed = false;
  saying.broken(connection === "waiting");
  begun = false;
  told = null;
  if (connection === "open") return socket.send({ type: "hello", client_ms: Date.now() }); // Live after the welcome.
  if (connection === "closed") return end(detail);
  if (connection === "waiting") countDown(detail);
  return show({ connection, seconds: detail ?? 0, reading: null });
};

function end(code) {
  socket.close();
  stopped("paused");
  show({ connection: "closed" });
  view.ending(code);
  if (code === CODE.OUTDATED) loadAnew();
}

function goOnHere() {
  view.ending(null);
  socket.connect();
  if (camera) startUnlessPaused();
}

const ACTIONS = { reload: () => location.reload(), join: () => location.assign(config.urls.home), here: goOnHere };

// -- The student

/** Whether it is on its way; an answer is then owed. */
function send(message) {
  const sent = state.connection === "open" && socket.send(message);
  owed ||= sent;
  return sent;
}

function letGo() {
  socket.close();
  camera?.close();
}

view.listen({ pause: togglePause, again, place: () => place.switch(), word: (word) => saying.word(word), hand: () => saying.hand(), go: letGo, end: (action) => ACTIONS[action]() });
document.addEventListener("visibilitychange", () => {
  giveTime();
  tell();
});
addEventListener("pagehide", letGo);
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
navigator.mediaDevices?.addEventListener("devicechange", () => {
  if (["missing", "unplugged"].includes(state.problem)) startCamera();
});

view.render(state);
showPlace();
place.open();
socket.connect();
if (camera) startUnlessPaused();
