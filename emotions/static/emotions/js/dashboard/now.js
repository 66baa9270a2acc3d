// The present distribution: seven bars with their band, and the pace in the students' own words.

import { percent } from "../labels.js";
import { labelWord } from "./words.js";

/** The rows of the list `element`, made once; `update(point)` moves them. */
export class NowBars {
  constructor(element, labels, order) {
    this.element = element;
    this.labels = labels;
    this.rows = new Map(order.map((label) => [label, row(label)]));
    element.replaceChildren(...[...this.rows.values()].map(({ item }) => item));
  }

  update(point) {
    this.element.classList.toggle("unknown", !point?.shares);
    for (const [label, { bar, band, number }] of this.rows) {
      const n = this.labels.indexOf(label);
      setShare(bar, point?.shares ? [point.shares[n], point.low[n], point.high[n]] : [0, 0, 0]);
      write(number, point?.shares ? percent(point.shares[n]) : "–");
      number.title = point?.shares ? `90 % band: ${percent(point.low[n])} to ${percent(point.high[n])}` : "";
      write(band, number.title && `, ${number.title}, estimate `);
    }
  }
}

function row(label) {
  const item = document.createElement("li");
  item.className = `share ${label}`;
  const name = document.createElement("span");
  name.textContent = labelWord(label);
  const bar = document.createElement("span");
  bar.className = "bar banded";
  const [band, number] = [document.createElement("span"), document.createElement("span")];
  band.className = "visually-hidden"; // The bar shows it; a title is neither heard nor touched.
  item.append(name, bar, band, number);
  return { item, bar, band, number };
}

function setShare(bar, [share, low, high]) {
  bar.style.setProperty("--share", share.toFixed(3));
  bar.style.setProperty("--low", low.toFixed(3));
  bar.style.setProperty("--high", high.toFixed(3));
}

/** Writes only what differs, so that nothing is laid out again for nothing. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** "21 of 24 measured · 3 unsure": each part an element of its own, so that lines are broken between them. */
export function writeParts(element, parts) {
  if (element.textContent === parts.join(" · ")) return;
  const spans = parts.map((part, n) => {
    const textContent = n < parts.length - 1 ? `${part} ·` : part;
    return Object.assign(document.createElement("span"), { textContent });
  });
  element.replaceChildren(...spans.flatMap((span, n) => (n ? [" ", span] : [span])));
}

const SAID_MS = 5_000;
const said = new Map(); // element -> what empties it

/** For those who hear the page. Emptied after a while, so that the same words are news again. */
export function announce(element, text) {
  clearTimeout(said.get(element));
  write(element, text);
  said.set(element, setTimeout(write, SAID_MS, element, ""));
}

/** `element` holds one [data-word] per word of a check-in; `note` says whose words are not counted. */
export function showPace(element, note, pace, connected) {
  const withheld = pace.withheld ?? 0;
  const unknown = withheld > 0 && withheld >= connected;
  for (const number of element.querySelectorAll("[data-word]")) {
    write(number, unknown ? "–" : String(pace[number.dataset.word] ?? 0));
  }
  note.hidden = withheld === 0;
  if (withheld) write(note, withheldWords(withheld));
}

function withheldWords(count) {
  const whose = count === 1 ? "one student who doesn’t share with their name" : `${count} students who don’t share with their name`;
  return `Without the words of ${whose}: such words count from five students on, so that nobody is singled out.`;
}
