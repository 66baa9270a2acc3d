// The words for a class mood. The rules are data of the page (emotions/reports/wording.py writes them); here they are only walked through,
// so that the live page and the report say the same.

import { ADJECTIVES, NAMES } from "../labels.js";

const STATE_WORDS = {
  not_visible: "Not visible", paused: "Paused", camera_off: "Camera off", disconnected: "Disconnected",
};

/** As the student's page says it of one (camera/words.js). */
export const UNREAD =
  "Nobody reads the pictures just now: a part of the server is down or has too much to do. Until it goes on by itself, students count as not visible; words about the pace still come.";

export const labelWord = (label) => NAMES[label] ?? "";

/** The words that belong to `rules` (RULES of emotions/reports/wording.py). Shares stand in the order of `rules.labels`. */
export class Wording {
  constructor(rules) {
    this.rules = rules;
  }

  /** A point as the sentence and the bars take it: its shares and bands are means over the last seconds, so that the words don't flicker. */
  steady(points) {
    const latest = points.at(-1);
    const recent = points.filter((point) => point.shares && latest.at_ms - point.at_ms < this.rules.steady_ms);
    if (!latest.shares || !recent.length) return latest;
    const mean = (points, value) => points.reduce((sum, point) => sum + value(point), 0) / points.length;
    const [shares, low, high] = ["shares", "low", "high"].map((field) => latest[field].map((_, n) => mean(recent, (point) => point[field][n])));
    const banded = recent.filter((point) => point.troubled_low !== null); // A server of before may have stored some without.
    const [troubled_low, troubled_high] = ["troubled_low", "troubled_high"].map((field) => (banded.length ? mean(banded, (point) => point[field]) : null));
    return { ...latest, shares, low, high, troubled_low, troubled_high };
  }

  /** The class in one sentence. Not `measuring`: check-ins alone. */
  sentence(point, measuring = true) {
    if (!measuring && point.joined) return this.paceAlone(point);
    if (!point.shares) return this.notShown(point);
    const said = this.said(point, this.enough(point));
    return `${this.moodClause(point)}${said && `; ${said}`}.`;
  }

  /** What the sentence is about: the same for as long as only its numbers change. */
  about(point, measuring = true) {
    const alone = !measuring && point.joined > 0;
    const said = this.heard(point, alone ? 1 : this.enough(point)).map(({ what }) => what).sort();
    if (alone) return said.join() || this.paceAlone(point);
    return [point.shares ? this.mood(point.shares).word : this.why(point), ...said].join();
  }

  /** What a room's camera saw, which is no part of the class mood. */
  room({ faces, uncertain, shares }) {
    const row = this.mood(shares);
    const troubles = this.troubledFaces(row, shares, faces);
    const unsure = uncertain ? ` (unsure about ${uncertain})` : "";
    return `Room camera: ${row.word.toLowerCase()}${troubles}${unsure}. Counted apart from the class mood: the same students may be in both.`;
  }

  /** What the mood rests on, in parts; without a mood, who is measured; not `measuring`: who is there. */
  coverage(point, measuring = true) {
    if (!measuring) return [`${point.connected} of ${point.joined} connected`];
    const without = point.connected - point.measured - point.not_visible;
    return [
      this.restsOn(point),
      this.mostLikely(point),
      point.not_visible ? `${point.not_visible} not visible` : "",
      without > 0 ? `${without} ${this.rules.left_out}` : "",
      point.uncertain ? `${point.uncertain} unsure` : "",
      point.on_device ? `${point.on_device} on their own device` : "",
    ].filter(Boolean);
  }

  // -- Parts of sentences

  restsOn({ shares, measured, connected }) {
    if (shares) return `Rests on ${measured} of ${connected} students`;
    return measured ? `${measured} of ${connected} measured` : `${connected} connected`;
  }

  /** The band of the number in the sentence: how many look troubled. Nothing where it is that number alone. */
  mostLikely({ shares, measured, troubled_low: low, troubled_high: high }) {
    if (!shares || low === null) return "";
    const [least, most] = [Math.round(low * measured), Math.round(high * measured)];
    return least < most ? `most likely ${least} to ${most} look troubled` : "";
  }

  mood(shares) {
    return this.rules.moods.find((row) => this.shareOf(shares, row.labels) >= row.least);
  }

  /** Of `count`, how many look troubled. */
  troubled(shares, count) {
    return Math.round(this.shareOf(shares, this.rules.troubled) * count);
  }

  shareOf(shares, labels) {
    return labels.reduce((sum, label) => sum + shares[this.rules.labels.indexOf(label)], 0);
  }

  moodClause({ shares, measured }) {
    const row = this.mood(shares);
    const count = this.troubled(shares, measured);
    if (count === 0) return `${row.word}, hardly anybody looks troubled`;
    return `${row.word}${row.good ? ", but" : ":"} about ${count} of ${measured} ${count === 1 ? "looks" : "look"} troubled`;
  }

  troubledFaces(row, shares, faces) {
    const count = this.troubled(shares, faces);
    if (count === 0) return `, hardly any of ${faces} faces looks troubled`;
    return `${row.good ? ", but" : ":"} about ${count} of ${faces} faces ${count === 1 ? "looks" : "look"} troubled`;
  }

  /** Of all who are there: the word of one who has just lost the connection still counts. */
  paceAlone(point) {
    const said = this.said(point, 1, ` of ${point.joined}`);
    if (said) return `${said}.`;
    return point.pace.withheld ? this.rules.unheard : this.rules.nobody_says;
  }

  enough({ connected }) {
    return Math.max(this.rules.pace_least, this.rules.pace_part * connected);
  }

  /** "9 say it is too fast, 2 that they are lost": what `least` students or more say, the commonest first. */
  said(point, least, of = "") {
    const heard = this.heard(point, least);
    const words = heard.map(({ count, what }, n) => (n ? `${count} that ${what}` : `${count}${of} ${count === 1 ? "says" : "say"} ${what}`));
    return words.join(", ");
  }

  heard({ pace }, least) {
    const counts = this.rules.pace.map(({ word, what }) => ({ count: pace[word] ?? 0, what }));
    return counts.filter(({ count }) => count >= least).sort((a, b) => b.count - a.count);
  }

  notShown(point) {
    const why = this.why(point);
    const nobody = why === this.rules.empty || why === this.rules.unconnected;
    const said = nobody ? "" : this.said(point, this.enough(point), " students");
    return said ? `${why} ${said}.` : why;
  }

  /** Without a mood. */
  why({ connected, joined, measured }) {
    if (connected === 0 && joined === 0) return this.rules.empty;
    if (connected === 0 && measured === 0) return this.rules.unconnected;
    return measured < this.rules.floor ? this.rules.under_floor : this.rules.withheld;
  }
}

/** "now", "12 s", "3 min", "1 h": how long ago, in the fewest words. */
export function ago(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 4) return "now";
  if (seconds < 60) return `${seconds - (seconds % (seconds < 20 ? 1 : 5))} s ago`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min ago` : `${Math.floor(seconds / 3600)} h ago`;
}

/** What a student's tile says: the emotion that the face looks like, or why there is none. */
export function tileWord(tile) {
  if (tile.state !== "measured") return STATE_WORDS[tile.state];
  if (!tile.label) return "No reading yet";
  return tile.uncertain ? `${labelWord(tile.label)}?` : labelWord(tile.label);
}

/** The same as a sentence, for a dialog and for those who hear the page. */
export function tileSentence(tile) {
  if (tile.state !== "measured") return STATE_WORDS[tile.state];
  if (!tile.label) return "No reading yet";
  return `Looks ${ADJECTIVES[tile.label]}, ${tile.uncertain ? "unsure" : "fairly sure"}`;
}

const PLEASANT = 0.25;

/** A curve of values -1..1 for those who hear the page, in three parts of equal length: "First pleasant, then neutral, last unpleasant." */
export function curveWords(values) {
  const ends = [0, 1, 2, 3].map((n) => Math.round((n * values.length) / 3));
  const parts = [0, 1, 2].map((n) => values.slice(ends[n], ends[n + 1])).filter((part) => part.length);
  const looks = parts.map((part) => pleasantWord(part.reduce((sum, value) => sum + value, 0) / part.length));
  const changes = looks.filter((look, n) => look !== looks[n - 1]);
  return changes.length ? inOrder(changes) : "";
}

function pleasantWord(value) {
  if (Math.abs(value) < PLEASANT) return "neutral";
  return value > 0 ? "pleasant" : "unpleasant";
}

function inOrder([first, ...others]) {
  if (!others.length) return `All along ${first}.`;
  return `First ${first}, ${others.length > 1 ? `then ${others[0]}, ` : ""}last ${others.at(-1)}.`;
}

/** "under a minute", "34 min", "1 h", "1 h 5 min": as `duration` of classroom/templatetags/roomtone.py. */
export function duration(ms) {
  const whole = Math.max(0, Math.floor(ms / 60_000));
  const [hours, minutes] = [Math.floor(whole / 60), whole % 60];
  if (!hours) return minutes ? `${minutes} min` : "under a minute";
  return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
}
