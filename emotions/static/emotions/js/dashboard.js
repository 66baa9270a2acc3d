// The instructor's page: one socket in, words first, then numbers, then charts.

import { dialogs, inPlace, keys, openDialog } from "./dashboard/controls.js";
import { Desk } from "./dashboard/desk.js";
import { binned, moodFigure } from "./dashboard/figure.js";
import { LiveSocket } from "./dashboard/live.js";
import { asMarkers } from "./dashboard/notices.js";
import { NowBars, showPace, write } from "./dashboard/now.js";
import { Plot } from "./dashboard/plot.js";
import { Room } from "./dashboard/room.js";
import { Tiles, newSpark, sparkPoints, studentWords } from "./dashboard/tiles.js";
import { ago, duration, percent, wording } from "./dashboard/words.js";
import { toast } from "../../classroom/js/toast.js";

const WINDOW_MS = 30 * 60_000;
const SHORTEST_WINDOW_MS = 2 * 60_000;
const REDRAW_MS = 2_000;
const SPEAK_MS = 30_000;
const STANDSTILL_MS = 6_000;

const byId = (id) => document.getElementById(id);
const page = JSON.parse(byId("dashboard-data").textContent);
const words = wording(page.rules);
const room = new Room(page.latest, page.markers, page.tile_fields);
const plot = new Plot(byId("mood-chart"));
const bars = new NowBars(byId("now"), page.rules.labels, page.bar_order);
const tiles = new Tiles(byId("tiles"), { onOpen: openStudent });
const desk = new Desk(room, tiles, {
  clock: (ms) => clock(ms),
  onOpen: openStudent,
  onMarkers: (markers) => {
    room.markers = markers;
    show();
    draw();
  },
  onChange: show,
});
let connection = { name: "connecting" };
let session = page.session;
let chosen = null;
let queued = false;
let drawn = -Infinity;
let spoken = -Infinity;

// -- Showing

/** Shows what changed in the next frame: many messages, one piece of work. */
function show() {
  if (queued) return;
  queued = true;
  requestAnimationFrame(() => {
    queued = false;
    showWords(room.latest);
    showStudents();
    desk.update();
    if (performance.now() - drawn >= REDRAW_MS) draw();
    if (performance.now() - spoken >= SPEAK_MS) speak();
  });
}

function showWords(point) {
  byId("lobby").hidden = !isEmpty(point);
  byId("room").hidden = isEmpty(point);
  document.body.classList.toggle("waiting-room", isEmpty(point));
  if (!point) return;
  write(byId("sentence"), sentence());
  write(byId("coverage"), [...words.coverage(point), standstill()].filter(Boolean).join(" · "));
  bars.update(point);
  showPace(byId("pace"), byId("pace-note"), point.pace, point.joined);
}

const sentence = () => words.sentence(room.points.length ? words.steady(room.points.slice(-60)) : room.latest, page.measuring);

const isEmpty = (point) => (!point || point.joined === 0) && room.tiles.size === 0;

/** An old mood is never passed off as the present one. */
function standstill() {
  const age = room.latest?.connected ? room.now - room.latest.at_ms : 0; // An empty room has no news.
  return age > STANDSTILL_MS && room.sequence !== null ? `no news for ${ago(age).replace(" ago", "")}` : "";
}

function showStudents() {
  tiles.setWaiting(room.notices.attention.map(({ id }) => id));
  tiles.update(room.tiles, room.takeChanged(), room.now);
  write(byId("students-title"), `Students who share individually (${room.tiles.size})`);
  byId("no-students").hidden = room.tiles.size > 0;
  byId("sorting").hidden = room.tiles.size < 2;
  if (chosen) showStudent();
}

function draw() {
  drawn = performance.now();
  if (room.sequence === null || byId("room").hidden || document.hidden) return;
  // A marker that was set this second is newer than the newest tick.
  const now = Math.max(room.now, ...room.markers.map((marker) => marker.at_ms));
  const end = Math.max(now, session.started_ms + SHORTEST_WINDOW_MS);
  const first = room.points[0]?.at_ms ?? session.started_ms;
  const start = Math.max(session.started_ms, Math.min(first, end - SHORTEST_WINDOW_MS), end - WINDOW_MS);
  const rows = binned(room.points, start, end, page.style.most_points);
  const marked = [...room.markers, ...asMarkers(room.notices.alerts)];
  const within = marked.filter((marker) => marker.at_ms >= start);
  const figure = moodFigure(page.style, page.rules.labels, rows, within, start, end, page.offset_ms);
  write(byId("mood-title"), end - start < WINDOW_MS ? "Class mood so far" : "Class mood, last 30 minutes");
  byId("no-mood").hidden = figure.data.length > 0;
  plot.draw(figure).catch(() => toast("The chart did not load; the numbers beside it are complete.", { key: "chart" }));
}

/** The chart's text equivalent, at a rate that somebody can listen to. */
function speak() {
  const point = room.latest;
  if (!point || room.sequence === null) return;
  spoken = performance.now();
  write(byId("spoken"), `${sentence()} ${words.coverage(point).join(", ")}.`);
  byId("mood-table").replaceChildren(...tableRows(room.points.filter((known) => known.shares)));
}

function tableRows(known) {
  const rows = binned(known, room.now - WINDOW_MS, room.now, 7).filter((row) => row.shares);
  return rows.map((row) => {
    const line = document.createElement("tr");
    const time = document.createElement("th");
    time.scope = "row";
    time.textContent = clock(row.at_ms);
    const cells = page.bar_order.map((label) => cell(percent(row.shares[page.rules.labels.indexOf(label)])));
    line.append(time, ...cells);
    return line;
  });
}

function cell(text) {
  const element = document.createElement("td");
  element.textContent = text;
  return element;
}

/** A time of day in the school's zone. */
const clock = (ms) => new Date(ms + page.offset_ms).toISOString().slice(11, 16);

function showSession() {
  for (const element of document.querySelectorAll("[data-join-code]")) write(element, spaced(session.join_code));
  for (const element of document.querySelectorAll("[data-join-link]")) write(element, joinLink());
  for (const image of document.querySelectorAll("[data-qr]")) image.src = `${page.urls.qr}?code=${encodeURIComponent(session.join_code)}`;
  byId("lock-form").hidden = session.joining_locked;
  byId("unlock-form").hidden = !session.joining_locked;
  byId("locked").hidden = !session.joining_locked;
  document.body.classList.toggle("locked", session.joining_locked);
}

const spaced = (code) => `${code.slice(0, 3)}-${code.slice(3)}`;
const joinLink = () => session.join_url.replace(/[^/]+\/?$/, `${session.join_code}/`);

async function copyLink() {
  try {
    await navigator.clipboard.writeText(joinLink());
    toast("The link is copied.", { key: "copied", seconds: 4 });
  } catch {
    toast(`Copying is not allowed here. The link is ${joinLink()}`, { key: "copied" });
  }
}

function showTime() {
  write(byId("elapsed"), duration(room.now - session.started_ms));
}

// -- The connection, in words

const CONNECTION = {
  connecting: () => "Connecting…",
  open: () => "Live",
  waiting: ({ seconds }) => `Connection lost. Next try in ${seconds} s`,
  closed: () => "Closed",
};
const CLOSED = {
  4401: "You are signed out. Sign in again, and this page goes on where it was.",
  4404: "This session is no longer yours to watch.",
  4410: "This session has ended.",
};

function onState(state) {
  connection = state;
  write(byId("connection-words"), CONNECTION[state.name](state));
  byId("connection").dataset.state = state.name;
  if (state.name === "closed") closed(state.code);
}

function closed(code) {
  if (code === 4410) return ended();
  byId("closed").hidden = false;
  write(byId("closed-words"), CLOSED[code] ?? `The server closed the connection (${code}). Reload the page.`);
  byId("closed-sign-in").hidden = code !== 4401;
  return undefined;
}

function ended() {
  session = { ...session, ended: true };
  socket.stop();
  byId("ended").hidden = false;
  byId("connection").hidden = true;
  for (const element of document.querySelectorAll("[data-live-only]")) element.hidden = true;
}

// -- Messages

const handlers = {
  "mood.snapshot": (message) => {
    room.snapshot(message);
    drawn = -Infinity;
  },
  "mood.tick": (message) => room.tick(message),
  "tiles.gone": ({ gone }) => gone.forEach((id) => room.forget(id)),
  "session.changed": (message) => {
    session = { ...session, ...message };
    showSession();
    if (message.ended) ended();
  },
};

const socket = new LiveSocket(page.urls.socket, {
  after: () => room.sequence,
  expectsNews: () => !document.hidden && room.latest?.connected > 0,
  onState,
  onMessage: (message) => {
    handlers[message.type]?.(message);
    show();
  },
});

// -- What the instructor does

function openStudent(id) {
  chosen = id;
  byId("student-spark").replaceChildren(newSpark().svg);
  byId("remove-step").hidden = true;
  byId("remove-ask").hidden = false;
  showStudent();
  openDialog("student-dialog");
}

function showStudent() {
  const tile = room.tiles.get(chosen);
  if (!tile) return byId("student-dialog").close();
  write(byId("student-name"), tiles.names.of(chosen));
  write(byId("student-words"), studentWords(tile, room.now));
  byId("student-dialog").querySelector("polyline").setAttribute("points", sparkPoints(tile.spark));
  byId("remove-form").elements.participant.value = chosen;
  return undefined;
}

function projector(on) {
  document.body.classList.toggle("projector", on);
  byId("projector-button").setAttribute("aria-pressed", String(on));
  if (on) document.documentElement.requestFullscreen?.().catch(() => {}); // Without it the page is only less large.
  else if (document.fullscreenElement) document.exitFullscreen();
  dispatchEvent(new Event("resize"));
}

const isProjector = () => document.body.classList.contains("projector");

function wireForms() {
  inPlace(byId("lock-form"), (answer) => changed(answer.session, "Nobody new can join."));
  inPlace(byId("unlock-form"), (answer) => changed(answer.session, "Joining is open again."));
  inPlace(byId("renew-form"), (answer) => changed(answer.session, "The old code no longer works."));
  inPlace(byId("end-form"), () => location.assign(page.urls.report));
  inPlace(byId("remove-form"), () => {
    room.forget(chosen);
    byId("student-dialog").close();
    show();
  });
  inPlace(byId("marker-form"), ({ marker }) => placed(marker));
}

function changed(what, said) {
  session = { ...session, ...what };
  showSession();
  toast(said, { key: "session", seconds: 6 });
}

function placed(marker) {
  byId("marker-dialog").close();
  byId("marker-form").reset();
  if (!room.markers.some(({ id }) => id === marker.id)) room.markers = [...room.markers, marker];
  write(byId("marker-said"), `Marked: ${marker.label}`);
  desk.update();
  draw();
}

function wireControls() {
  dialogs();
  wireForms();
  keys({
    m: () => openDialog("marker-dialog"),
    p: () => projector(!isProjector()),
    escape: () => isProjector() && projector(false),
  });
  byId("projector-button").addEventListener("click", () => projector(!isProjector()));
  document.addEventListener("fullscreenchange", () => !document.fullscreenElement && isProjector() && projector(false));
  byId("sort").addEventListener("change", (event) => tiles.sortBy(event.target.value, room.tiles, room.now));
  for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", copyLink);
  byId("student-dialog").addEventListener("close", () => (chosen = null));
  byId("remove-ask").addEventListener("click", () => {
    byId("remove-ask").hidden = true;
    byId("remove-step").hidden = false;
    byId("remove-step").querySelector("button").focus();
  });
}

wireControls();
showSession();
show();
socket.open();
setInterval(() => {
  showTime();
  if (connection.name !== "closed") show();
}, 1000);
document.addEventListener("visibilitychange", () => document.hidden || draw());
