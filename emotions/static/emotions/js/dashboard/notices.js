// Who may need the teacher, and why: a short list, longest waiting first. Words as on the tiles: "looked", never "is".

import { write } from "./now.js";
import { ago } from "./words.js";

const SHOWN = 4;

/** Keeps the list `element` as the notices have it. `onOpen(id)`, `onDismiss(id)` are called when a button is used. */
export class AttentionList {
  constructor(element, { onOpen, onDismiss }) {
    this.element = element;
    this.rows = new Map();
    this.all = false;
    element.addEventListener("click", ({ target }) => {
      const id = target.closest("[data-id]")?.dataset.id;
      if (target.closest("[data-dismiss]")) onDismiss(id);
      else if (target.closest("button")) onOpen(id);
    });
  }

  /** `students`: [{id, troubled_ms, unsure, lost_ms}]; `nameOf(id)`: as the tiles say it. */
  update(students, nameOf, now) {
    const shown = this.all ? students : students.slice(0, SHOWN);
    const ids = new Set(shown.map(({ id }) => id));
    for (const [id, view] of this.rows) if (!ids.has(id)) this.drop(id, view);
    for (const student of shown) this.show(student, nameOf(student.id), now);
    const items = shown.map(({ id }) => this.rows.get(id).item);
    if (items.some((item, n) => this.element.children[n] !== item)) this.element.append(...items);
    return students.length - shown.length;
  }

  show(student, name, now) {
    if (!this.rows.has(student.id)) this.rows.set(student.id, newRow(student.id));
    const { label, words, seen } = this.rows.get(student.id);
    write(label, name);
    write(words, reasons(student, now));
    seen.setAttribute("aria-label", `Seen: take ${name} off this list`);
  }

  /** Where the button under somebody's hand goes, the next one takes its place. */
  drop(id, { item }) {
    const next = item.contains(document.activeElement) && (item.nextElementSibling ?? item.previousElementSibling);
    item.remove();
    this.rows.delete(id);
    if (next) next.querySelector("[data-dismiss]").focus();
  }
}

function newRow(id) {
  const item = document.createElement("li");
  item.dataset.id = id;
  const [open, seen] = ["button", "button"].map((tag) => Object.assign(document.createElement(tag), { type: "button" }));
  const [label, words] = ["strong", "span"].map((tag) => document.createElement(tag));
  open.className = "who";
  open.append(label, words);
  seen.className = "button quiet small";
  seen.dataset.dismiss = "";
  seen.textContent = "Seen";
  item.append(open, seen);
  return { item, label, words, seen };
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

/** What is new, for those who hear the page: whoever was not on the list before. */
export function newcomers(before, after, nameOf) {
  const known = new Set(before.map(({ id }) => id));
  return after.filter(({ id }) => !known.has(id)).map(({ id }) => nameOf(id));
}
