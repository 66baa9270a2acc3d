// The chart for those who hear the page: a sentence and a table, at a rate that somebody can listen to.

import { binned } from "./figure.js";
import { announce } from "./now.js";
import { percent } from "../labels.js";

const SETTLED_MS = 5_000; // A class that is just coming in is another one each second.
const QUIET_MS = 15_000;
const TABLE_MS = 30_000;
const ROWS = 7;

const byId = (id) => document.getElementById(id);

/** `labels`: the order of a point's shares; `order`: that of the columns; `clock`: ms -> "14:03". */
export class SpokenMood {
  constructor(labels, order, clock) {
    Object.assign(this, { labels, order, clock, tabled: -Infinity });
    this.again();
  }

  /** What is said next is news, whatever was said before. */
  again() {
    Object.assign(this, { about: null, since: -Infinity, said: null, spoken: -Infinity });
  }

  /** Says `words` once they have been `about` something else than what was said last for a while: other numbers alone are no news. */
  say(about, words) {
    const now = performance.now();
    if (about !== this.about) Object.assign(this, { about, since: now });
    if (about === this.said || now - this.since < SETTLED_MS || now - this.spoken < QUIET_MS) return;
    Object.assign(this, { said: about, spoken: now });
    announce(byId("spoken"), words);
  }

  /** Shows the points from `start` to `end`, unless it did so a moment ago. */
  show(points, start, end) {
    if (performance.now() - this.tabled < TABLE_MS) return;
    this.tabled = performance.now();
    const known = points.filter((point) => point.shares);
    const rows = binned(known, start, end, ROWS).filter((row) => row.shares);
    byId("mood-table").replaceChildren(...rows.map((row) => this.line(row)));
  }

  line(row) {
    const line = document.createElement("tr");
    const time = document.createElement("th");
    time.scope = "row";
    time.textContent = this.clock(row.at_ms);
    line.append(time, ...this.order.map((label) => cell(percent(row.shares[this.labels.indexOf(label)]))));
    return line;
  }
}

function cell(text) {
  const element = document.createElement("td");
  element.textContent = text;
  return element;
}
