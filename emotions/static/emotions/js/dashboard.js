// The instructor's page: one socket in, words first, then numbers, then charts.

import { CODE } from "./closing.js";
import { showConnection, showEnded } from "./dashboard/connection.js";
import { dialogs, inPlace, keys, openDialog } from "./dashboard/controls.js";
import { DashboardSocket } from "./dashboard/dashboard-socket.js";
import { Desk } from "./dashboard/desk.js";
import { binned, moodFigure } from "./dashboard/figure.js";
import { JoiningCard } from "./dashboard/joining.js";
import { LiveClass } from "./dashboard/live-class.js";
import { asMarkers } from "./dashboard/notices.js";
import { NowBars, announce, showPace, write, writeParts } from "./dashboard/now.js";
import { People } from "./dashboard/people.js";
import { Plot } from "./dashboard/plot.js";
import { projector } from "./dashboard/projector.js";
import { SpokenMood } from "./dashboard/spoken.js";
import { StudentDialog } from "./dashboard/student-dialog.js";
import { remembered } from "./dashboard/switches.js";
import { callInTitle, restTitle } from "./dashboard/tab-title.js";
import { Tiles } from "./dashboard/tiles.js";
import { UNREAD, Wording, ago, duration } from "./dashboard/words.js";
import { toast } from "../../classroom/js/toast.js";

const WINDOW_MS = 30 * 60_000;
const SHORTEST_WINDOW_MS = 2 * 60_000;
const REDRAW_MS = 2_000;
const STANDSTILL_MS = 6_000;
const PROJECTED = 1.5; // So much larger is what is written into the chart there.

const byId = (id) => document.getElementById(id);
const page = JSON.parse(byId("dashboard-data").textContent);
/** A time of day in the school's zone. */
const clock = (ms) => new Date(ms + page.offset_ms).toISOString().slice(11, 16);

const words = new Wording(page.rules);
const live = new LiveClass(page);
const plot = new Plot(byId("mood-chart"));
const spoken = new SpokenMood(page.rules.labels, page.bar_order, clock);
const bars = new NowBars(byId("now"), page.rules.labels, page.bar_order);
const tiles = new Tiles(byId("tiles"), { heading: byId("students-title"), onOpen: (id) => student.open(id) });
const student = new StudentDialog(live, {
  onRemoved: (id) => {
    live.forget(id);
    show();
  },
});
const joining = new JoiningCard(page.session, page.urls.qr);
const desk = new Desk(live, {
  clock,
  onOpen: (id, name) => student.open(id, name),
  onMarkers: mark,
  onChange: show,
});
let session = page.session;
let joined = page.joined; // Whether anybody ever has.
let open = true; // Until the server has closed the connection for good.
let queued = false;
let drawn = -Infinity;
let noChart = null; // Takes away the words that the chart did not load.

// Who speaks to their computer, or misses a key, would press a letter without meaning it (WCAG 2.1.4).
const lettersAct = remembered(byId("keys-button"), "letter-keys", "Keys M and P", (on) => document.body.classList.toggle("keys-off", !on));
const isSpoken = remembered(byId("spoken-button"), "spoken-summary", "Spoken summary", () => spoken.again());

// -- Showing

/** Shows what changed in the next frame: many messages, one piece of work. */
function show() {
  if (queued) return;
  queued = true;
  requestAnimationFrame(() => {
    queued = false;
    showWords(live.latest);
    showBeside();
    showStudents();
    desk.update();
    speak(live.latest);
    if (performance.now() - drawn >= REDRAW_MS) setTimeout(draw); // When the tiles are painted: two short tasks.
  });
}

/** What stands above the class mood, and is none of it. */
function showBeside() {
  const { beside } = live;
  for (const line of document.querySelectorAll("[data-room-line]")) {
    line.hidden = !beside.room;
    if (beside.room) write(line, words.room(beside.room));
  }
  if (beside.unread && byId("unread").hidden) announce(byId("unread-said"), UNREAD);
  byId("unread").hidden = !beside.unread;
  write(byId("unread"), beside.unread ? UNREAD : "");
}

/** Also where no frame is painted: a tab that isn't in front has none. */
function showTitle() {
  if (open) callInTitle(live.notices, live.now);
  else restTitle();
}

function showWords(point) {
  byId("lobby").hidden = !open || !isEmpty(point);
  byId("class").hidden = isEmpty(point);
  document.body.classList.toggle("waiting-room", isEmpty(point));
  if (!point) return;
  write(byId("sentence"), sentence());
  writeParts(byId("coverage"), [...words.coverage(steady(), page.measuring), standstill()].filter(Boolean));
  bars.update(steady());
  showPace(byId("pace"), byId("pace-note"), point.pace, point.joined);
}

const steady = () => (live.points.length ? words.steady(live.points.slice(-60)) : live.latest);
const sentence = () => words.sentence(steady(), page.measuring);

/** Nobody has come yet. Who has left leaves a timeline behind. */
function isEmpty(point) {
  joined ||= Boolean(point?.joined) || live.tiles.size > 0;
  return !joined;
}

/** An old mood is never passed off as the present one. */
function standstill() {
  const age = live.latest?.connected ? live.now - live.latest.at_ms : 0; // An empty class has no news.
  return age > STANDSTILL_MS && live.isKnown ? `no news for ${ago(age).replace(" ago", "")}` : "";
}

function showStudents() {
  tiles.setWaiting(live.notices.attention.map(({ id }) => id));
  tiles.update(live.tiles, live.takeChanged(), live.now);
  if (live.isKnown) write(byId("students-title"), `Students who share with their name (${live.tiles.size})`);
  byId("no-students").hidden = live.tiles.size > 0 || !live.isKnown;
  byId("sorting").hidden = live.tiles.size < 2;
  student.update();
}

function draw() {
  drawn = performance.now();
  if (!page.measuring || !live.isKnown || byId("class").hidden || document.hidden) return;
  // A marker that was set this second is newer than the newest tick.
  const now = Math.max(live.now, ...live.markers.map((marker) => marker.at_ms));
  const end = Math.max(now, session.started_ms + SHORTEST_WINDOW_MS);
  const first = live.points[0]?.at_ms ?? session.started_ms;
  const start = Math.max(session.started_ms, Math.min(first, end - SHORTEST_WINDOW_MS), end - WINDOW_MS);
  const rows = binned(live.points, start, end, page.style.most_points);
  const marked = [...live.markers, ...asMarkers(live.notices.alerts)];
  const within = marked.filter((marker) => marker.at_ms >= start);
  const figure = moodFigure(page.style, page.rules.labels, rows, within, start, end, page.offset_ms);
  write(byId("mood-title"), end - start < WINDOW_MS ? "Class mood so far" : "Class mood, last 30 minutes");
  byId("no-mood").hidden = figure.data.length > 0;
  plot.draw(figure).then(() => noChart?.(), sayNoChart);
}

/** Once: whoever has dismissed it knows. */
function sayNoChart() {
  noChart ??= toast("The chart did not load; the numbers beside it are complete.", { key: "chart" });
}

function speak(point) {
  if (!point || !live.isKnown) return;
  if (isSpoken()) spoken.say(words.about(steady(), page.measuring), sentence());
  spoken.show(live.points, live.now - WINDOW_MS, live.now);
}

// -- Messages

const handlers = {
  "mood.snapshot": (message) => {
    live.snapshot(message);
    drawn = -Infinity;
  },
  "mood.tick": (message) => live.tick(message),
  "tiles.gone": ({ gone }) => gone.forEach((id) => live.forget(id)),
  "markers.changed": ({ markers }) => mark(markers),
  "session.changed": (message) => (message.ended ? ended() : changed(message)),
  "still.here": ({ now_ms }) => live.hear(now_ms),
};

const socket = new DashboardSocket(page.urls.socket, {
  after: () => live.sequence,
  expectsNews: () => !document.hidden && live.latest?.connected > 0,
  onState: (state) => {
    open = state.name !== "closed";
    showConnection(state);
    showTitle();
    if (state.code === CODE.SESSION_ENDED) ended();
  },
  onMessage: (message) => {
    handlers[message.type]?.(message);
    showTitle();
    show();
  },
});

function changed(what, said = "") {
  session = { ...session, ...what };
  joining.update(session);
  if (said) toast(said, { key: "session", seconds: 6 });
}

/** The button that was pressed makes room for its opposite, which takes the focus over. */
function locked(what, said, opposite) {
  changed(what, said);
  byId(opposite).querySelector("button").focus();
}

function ended() {
  open = false;
  session = { ...session, ended: true };
  socket.stop();
  showTitle();
  showEnded();
}

// -- What the instructor does

/** The moment is the one of the key or click, not the one at which its name was written. */
const whenAsked = () => ({ ago_ms: Math.round(performance.now() - Number(byId("marker-dialog").dataset.openedMs)) });

function mark(markers) {
  live.markers = markers;
  show();
  draw();
}

function placed(marker) {
  byId("marker-dialog").close();
  if (!live.markers.some(({ id }) => id === marker.id)) live.markers = [...live.markers, marker];
  announce(byId("marker-said"), `Marked: ${marker.label}`);
  desk.update();
  draw();
}

dialogs();
inPlace(byId("lock-form"), (answer) => locked(answer.session, "Nobody new can join.", "unlock-form"));
inPlace(byId("unlock-form"), (answer) => locked(answer.session, "Joining is open again.", "lock-form"));
inPlace(byId("renew-form"), (answer) => changed(answer.session, "The old code no longer works."));
inPlace(byId("end-form"), () => location.assign(page.urls.report));
inPlace(byId("marker-form"), ({ marker }) => placed(marker), whenAsked);
new People(page.urls.people, {
  clock,
  now: () => live.now,
  thereForMs: page.there_for_ms,
  onOpen: (id, name) => student.open(id, name),
});
const wall = projector(byId("projector-button"), (on) => plot.enlarge(on ? PROJECTED : 1));
keys({ m: () => open && openDialog("marker-dialog"), p: wall.toggle, escape: wall.leave }, lettersAct);
byId("sort").addEventListener("change", (event) => tiles.sortBy(event.target.value, live.tiles, live.now));
document.addEventListener("visibilitychange", () => open && !document.hidden && draw());

show();
socket.open();
setInterval(() => {
  if (!open) return;
  write(byId("elapsed"), duration(live.now - session.started_ms));
  showTitle();
  show();
}, 1000);
