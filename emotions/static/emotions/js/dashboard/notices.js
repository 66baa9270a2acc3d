// What the teacher may want to act on: who may need them, and raised hands. Short lists, longest waiting first, each row with
// one button that is done with it. Words as on the tiles: "looked", never "is".

import { write } from "./now.js";
import { ago } from "./words.js";

export const SHOWN = 4;

/**
 * Keeps the list `element` as the rows have it. `onOpen(id)`, `onDone(id)` are called when a button is used; `done` is the
 * second one's word, `says(name)` what it is called for those who hear the page; `heading` gets the focus of the last row.
 */
export class ActionList {
  constructor(element, { done, says, heading, onOpen, onDone }) {
    Object.assign(this, { element, done, says, heading, rows: new Map(), all: false });
    element.addEventListener("click", ({ target }) => {
      const id = target.closest("[data-id]")?.dataset.id;
      if (target.closest("[data-done]")) onDone(id);
      else if (target.closest("button")) onOpen(id);
    });
  }

  /** `rows`: [{id, name, words}]. Returns how many are not shown. */
  update(rows) {
    const shown = this.all ? rows : rows.slice(0, SHOWN);
    const ids = new Set(shown.map(({ id }) => id));
    for (const [id, view] of this.rows) if (!ids.has(id)) this.drop(id, view);
    for (const row of shown) this.show(row);
    shown.forEach(({ id }, n) => this.place(this.rows.get(id).item, n));
    return rows.length - shown.length;
  }

  /** The row at place `n`, or the last before it, has the focus; without rows the heading. */
  focus(n) {
    const row = this.element.children[Math.min(n, this.element.children.length - 1)];
    (row?.querySelector("button") ?? this.heading).focus();
  }

  /** Only who stands elsewhere is moved: a row that is moved loses the focus. */
  place(item, n) {
    if (this.element.children[n] !== item) this.element.insertBefore(item, this.element.children[n] ?? null);
  }

  show({ id, name, words }) {
    if (!this.rows.has(id)) this.rows.set(id, newRow(id, this.done));
    const view = this.rows.get(id);
    write(view.name, name);
    write(view.words, words);
    view.done.setAttribute("aria-label", this.says(name));
  }

  /** Where the button under somebody's hand goes, the next one takes its place. */
  drop(id, { item }) {
    const held = item.contains(document.activeElement);
    const next = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    this.rows.delete(id);
    if (held) (next?.querySelector("[data-done]") ?? this.heading).focus();
  }
}

function newRow(id, word) {
  const item = document.createElement("li");
  item.dataset.id = id;
  const [open, done] = ["button", "button"].map((tag) => Object.assign(document.createElement(tag), { type: "button" }));
  const [name, words] = ["strong", "span"].map((tag) => document.createElement(tag));
  open.className = "who";
  open.append(name, words);
  done.className = "button quiet small";
  done.dataset.done = "";
  done.textContent = word;
  item.append(open, done);
  return { item, name, words, done };
}

/** "Looked troubled more than usual for 2 minutes, unsure · said “lost” 12 s ago": why, for how long, how sure. */
export function reasons({ troubled_ms, unsure, lost_ms }, now) {
  const parts = [];
  if (lost_ms !== null) parts.push(`said “lost” ${ago(now - lost_ms)}`);
  if (troubled_ms !== null) {
    parts.push(`looked troubled more than usual for ${minutes(now - troubled_ms)}, ${unsure ? "unsure" : "fairly sure"}`);
  }
  const words = parts.join(" · ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function minutes(ms) {
  const count = Math.max(1, Math.round(ms / 60_000));
  return count === 1 ? "1 minute" : `${count} minutes`;
}

const FRESH_MS = 90_000;

export const isFresh = ({ at_ms }, now) => now - at_ms < FRESH_MS;

/** The newest alert as a line while it is fresh, all of them as a list with their times. `clock`: ms -> "14:03". */
export class Alerts {
  constructor({ line, block, title, list }, clock) {
    Object.assign(this, { line, block, title, list, clock, told: null });
  }

  /** Returns the words of a fresh alert that was not there before; none, "". */
  update(alerts, now) {
    const newest = alerts.at(-1);
    const fresh = newest && isFresh(newest, now) ? newest : null;
    const news = fresh && fresh.at_ms !== this.told ? fresh.words : "";
    if (fresh) this.told = fresh.at_ms;
    this.line.hidden = !fresh;
    write(this.line, fresh?.words ?? "");
    this.showAll(alerts);
    return news;
  }

  showAll(alerts) {
    this.block.hidden = alerts.length === 0;
    write(this.title, alerts.length === 1 ? "1 alert" : `${alerts.length} alerts`);
    const lines = alerts.map(({ at_ms, words }) => `${this.clock(at_ms)} ${words}`).reverse();
    if (lines.join() === [...this.list.children].map(({ textContent }) => textContent).join()) return;
    this.list.replaceChildren(...lines.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  }
}

const KINDS = { mood: "Mood fell", lost: "Lost", too_fast: "Too fast", too_slow: "Too slow" };

/** Where the timeline has a mark, and of what. */
export const asMarkers = (alerts) => alerts.map(({ at_ms, kind }) => ({ at_ms, label: KINDS[kind] ?? "Alert" }));

export const handsUp = (count) => (count === 1 ? "1 hand up" : `${count} hands up`);

/** What is new, for those who hear the page: the names of whoever was not on the list before. */
export function newcomers(before, after) {
  const known = new Set(before.map(({ id }) => id));
  return after.filter(({ id }) => !known.has(id)).map(({ name }) => name);
}
