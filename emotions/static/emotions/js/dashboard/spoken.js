// The chart for those who hear the page: a sentence and a table, at a rate that somebody can listen to.

import { binned } from "./figure.js";
import { write } from "./now.js";
import { percent } from "../labels.js";

const EVERY_MS = 30_000;
const ROWS = 7;

const byId = (id) => document.getElementById(id);

/** `labels`: the order of a point's shares; `order`: that of the columns; `clock`: ms -> "14:03". */
export class SpokenMood {
  constructor(labels, order, clock) {
    Object.assign(this, { labels, order, clock, spoken: -Infinity });
  }

  /** Says `words` and shows the points from `start` to `end`, unless it did so a moment ago. */
  update(words, points, start, end) {
    if (performance.now() - this.spoken < EVERY_MS) return;
    this.spoken = performance.now();
    write(byId("spoken"), words);
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
