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
export function wording(rules) {
  const shareOf = (shares, labels) => labels.reduce((sum, label) => sum + shares[rules.labels.indexOf(label)], 0);
  const troubled = (shares) => shareOf(shares, rules.troubled);
  const mood = (shares) => rules.moods.find((row) => shareOf(shares, row.labels) >= row.least);

  function notShown(point) {
    if (point.connected === 0 && point.joined === 0) return rules.empty;
    if (point.measured === 0) return point.connected ? rules.unmeasured : rules.unconnected;
    return point.measured < rules.floor ? rules.under_floor : rules.withheld;
  }

  function moodClause(shares, measured) {
    const row = mood(shares);
    const count = Math.round(troubled(shares) * measured);
    if (count === 0) return `${row.word}, hardly anybody looks troubled`;
    return `${row.word}${row.good ? ", but" : ":"} about ${count} of ${measured} ${count === 1 ? "looks" : "look"} troubled`;
  }

  function lostClause(point) {
    const lost = point.pace.lost ?? 0;
    return lost < Math.max(rules.lost_least, rules.lost_part * point.connected) ? "" : `; ${lost} say they are lost`;
  }

  function paceAlone(point) {
    const lost = point.pace.lost ?? 0;
    if (lost === 0) return point.pace.withheld ? rules.unheard : rules.nobody_lost;
    // Of all who are there: the word of one who has just lost the connection still counts.
    return `${lost} of ${point.joined} ${lost === 1 ? "says they are" : "say they are"} lost.`;
  }

  const measuredSentence = (point) =>
    point.shares ? `${moodClause(point.shares, point.measured)}${lostClause(point)}.` : notShown(point);

  return {
    /** A point as the sentence takes it: its shares are means over the last seconds, so that the words don't flicker. */
    steady(points) {
      const latest = points.at(-1);
      const recent = points.filter((point) => point.shares && latest.at_ms - point.at_ms < rules.steady_ms);
      if (!latest.shares || !recent.length) return latest;
      const shares = latest.shares.map((_, n) => recent.reduce((sum, point) => sum + point.shares[n], 0) / recent.length);
      return { ...latest, shares };
    },
    /** The class in one sentence. Not `measuring`: check-ins alone. */
    sentence: (point, measuring = true) => (!measuring && point.joined ? paceAlone(point) : measuredSentence(point)),
    /** What a room's camera saw, which is no part of the class mood. */
    room({ faces, uncertain, shares }) {
      const count = Math.round(troubled(shares) * faces);
      const row = mood(shares);
      const lead = count && row.good ? ", but" : count ? ":" : ",";
      const troubles = count ? `about ${count} of ${faces} faces ${count === 1 ? "looks" : "look"} troubled` : `hardly any of ${faces} faces looks troubled`;
      const unsure = uncertain ? ` (unsure about ${uncertain})` : "";
      return `Room camera: ${row.word.toLowerCase()}${lead} ${troubles}${unsure}. Counted apart from the class mood: the same students may be in both.`;
    },
    /** What the mood rests on, in parts; without a mood, who is measured; not `measuring`: who is there. */
    coverage(point, measuring = true) {
      if (!measuring) return [`${point.connected} of ${point.joined} connected`];
      const without = point.connected - point.measured - point.not_visible;
      const counts = `${point.measured} of ${point.connected}`;
      return [
        point.shares ? `Rests on ${counts} students` : `${counts} measured`,
        point.not_visible ? `${point.not_visible} not visible` : "",
        without > 0 ? `${without} ${point.shares ? rules.left_out : rules.no_camera}` : "",
        point.uncertain ? `${point.uncertain} unsure` : "",
        point.on_device ? `${point.on_device} on their own device` : "",
      ].filter(Boolean);
    },
  };
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

/** "34 min", "1 h 5 min". */
export function duration(ms) {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
