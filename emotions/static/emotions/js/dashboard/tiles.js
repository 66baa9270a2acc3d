// One tile per student who shares with their name. Only changed tiles are touched; 500 of them stay smooth.

import { write } from "./now.js";
import { ago, tileSentence, tileWord } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const SPARK = { width: 96, height: 24, steps: 39 };
const RECENT = 10;
const RESORT_MS = 10_000;
const POINTER_RESTS = matchMedia("(hover: hover)"); // A finger leaves :hover behind where it touched last.
const NUMBERED = /^(.*?)( \(\d+\))?$/s; // "Mia (2)": namesakes are told apart by the server (classroom.text.distinct_names).
const alphabet = new Intl.Collator(undefined, { numeric: true });

/** `onOpen(id)` is called when a tile's button is used; `heading` gets the focus of the last tile that goes. */
export class Tiles {
  constructor(element, { heading, onOpen }) {
    Object.assign(this, { element, heading });
    this.views = new Map();
    this.sort = "name";
    this.sorted = 0;
    this.waiting = new Set();
    element.addEventListener("click", (event) => {
      const item = event.target.closest("[data-id]");
      if (item) onOpen(item.dataset.id);
    });
  }

  /** Bring the tiles of `changed` up to date with `tiles` (id -> tile). */
  update(tiles, changed, now) {
    let membership = false;
    for (const id of changed) membership = this.updateOne(id, tiles.get(id)) || membership;
    for (const [id, view] of this.views) showAge(view, tiles.get(id), now);
    if (membership || now - this.sorted > RESORT_MS) this.arrange(tiles, now);
  }

  updateOne(id, tile) {
    const view = this.views.get(id);
    if (!tile) {
      if (view) this.remove(view);
      return this.views.delete(id);
    }
    if (!view) this.views.set(id, newView(id));
    paint(this.views.get(id), tile);
    return !view;
  }

  /** Where the tile under somebody's hand goes, its neighbour takes its place. */
  remove({ item }) {
    const held = item.contains(document.activeElement);
    const next = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    if (held) (next?.querySelector("button") ?? this.heading).focus();
  }

  sortBy(order, tiles, now) {
    this.sort = order;
    this.arrange(tiles, now);
  }

  /** Puts the tiles in order, but never under the hand of somebody who is using them. */
  arrange(tiles, now) {
    if (this.inUse()) return this.addNew();
    this.sorted = now;
    const ids = [...this.views.keys()].sort((a, b) => this.compare(tiles.get(a), tiles.get(b)));
    const items = ids.map((id) => this.views.get(id).item);
    if (items.some((item, n) => this.element.children[n] !== item)) this.place(items);
    return undefined;
  }

  /** By the keyboard, or by a pointer that rests there. A dialog gives the focus back to its tile: that alone is no use. */
  inUse() {
    return Boolean(this.element.querySelector(":focus-visible")) || (POINTER_RESTS.matches && this.element.matches(":hover"));
  }

  /** The others around the tile that has the focus: one that is moved loses it. */
  place(items) {
    const held = items.findIndex((item) => item.contains(document.activeElement));
    if (held < 0) return this.element.replaceChildren(...items);
    items[held].before(...items.slice(0, held));
    items[held].after(...items.slice(held + 1));
    return undefined;
  }

  /** `ids`: who may need the teacher. They come first in that order. */
  setWaiting(ids) {
    this.waiting = new Set(ids);
  }

  waits({ id }) {
    return Number(this.waiting.has(id));
  }

  addNew() {
    for (const { item } of this.views.values()) if (!item.isConnected) this.element.append(item);
  }

  compare(a, b) {
    const byName = alphabet.compare(a.name, b.name);
    if (this.sort === "time") return lastSeen(b) - lastSeen(a) || byName;
    if (this.sort === "attention") return this.waits(b) - this.waits(a) || pleasantness(a) - pleasantness(b) || byName;
    return byName;
  }
}

/** In Unix milliseconds. Who is measured is seen now; among these the names decide (Infinity less itself is no number). */
const lastSeen = (tile) => (tile.state === "measured" ? Infinity : (tile.seen_ms ?? 0));

/** The mean of the last readings, -1..1: the least pleasant look comes first; who isn't read now comes last. */
function pleasantness(tile) {
  const recent = tile.spark.slice(-RECENT);
  if (tile.state !== "measured" || !recent.length) return 2;
  return recent.reduce((sum, value) => sum + value, 0) / recent.length;
}

function newView(id) {
  const item = document.createElement("li");
  item.dataset.id = id;
  const button = document.createElement("button");
  button.type = "button";
  const [dot, name, given, number, word, seen] = ["i", "strong", "span", "span", "span", "span"].map((tag) => document.createElement(tag));
  dot.className = "dot";
  name.className = "name";
  given.className = "given";
  number.className = "which"; // Of a long name the end may be cut off, but not which of two it is.
  name.append(given, number);
  word.className = "word";
  seen.className = "seen";
  const spark = newSpark();
  button.append(dot, name, word, spark.svg, seen);
  item.append(button);
  return { item, button, dot, given, number, word, seen, line: spark.line };
}

export function newSpark() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${SPARK.width} ${SPARK.height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "spark");
  const line = document.createElementNS(SVG, "polyline");
  svg.append(line);
  return { svg, line };
}

function paint(view, tile) {
  const read = tile.state === "measured" && tile.label;
  set(view.item, "className", `student ${read ? tile.label : "away"}${tile.uncertain ? " unsure" : ""}`);
  set(view.dot, "className", read && !tile.uncertain ? "dot" : "dot hollow");
  const [, given, number = ""] = NUMBERED.exec(tile.name);
  write(view.given, given);
  write(view.number, number);
  write(view.word, tileWord(tile));
  set(view.button, "title", `${tile.name} · ${tileSentence(tile)}`);
  view.line.setAttribute("points", sparkPoints(tile.spark));
}

function set(element, property, value) {
  if (element[property] !== value) element[property] = value;
}

/** Values -1..1 to the points of a polyline; the newest stands at the right. */
export function sparkPoints(values) {
  const middle = SPARK.height / 2;
  const step = SPARK.width / SPARK.steps;
  return values
    .map((value, n) => {
      const x = SPARK.width - (values.length - 1 - n) * step;
      return `${x.toFixed(1)},${(middle - value * (middle - 1)).toFixed(1)}`;
    })
    .join(" ");
}

function showAge(view, tile, now) {
  write(view.seen, tile.state === "measured" ? "" : seen(tile, now));
}

/** When a face was last read. Who is measured is seen now: their tile says so by what it shows. */
const seen = (tile, now) => (tile.seen_ms === null ? "not seen yet" : `seen ${ago(now - tile.seen_ms)}`);

/** What a dialog about one student shows. */
export const studentWords = (tile, now) =>
  tile.state === "measured" ? `${tileSentence(tile)}.` : `${tileSentence(tile)}, ${seen(tile, now)}.`;
