// Every word that the camera pages say. No verdicts: "you look", never "you are".

import { CODE } from "../closing.js";
import { ADJECTIVES } from "../labels.js";

const SEEN = {
  individual: "your instructor sees this with your name",
  aggregate: "only the class average is shown",
};
/** Never "sure": of the others, too, one of ten is wrong in a lesson (docs/model-card.md). */
export const sureness = (uncertain) => (uncertain ? "unsure" : "fairly sure");

/** The line under the student's own picture. */
export function readingLine({ label, uncertain, seen_by_teacher, face_count }) {
  const more = face_count > 1 ? ` · of ${face_count} faces, the largest counts` : "";
  return `You look ${ADJECTIVES[label]} · ${sureness(uncertain)} · ${SEEN[seen_by_teacher]}${more}`;
}

/** What stands under the button of the hand. */
export const HAND = {
  down: "Your instructor sees your name while it is up. The class does not.",
  up: "Your hand is up: your instructor sees your name. It goes down by itself after some minutes.",
  unseen: "The connection is gone: your instructor does not see your hand until it is back.",
  sending: "Sending",
};

/** Of a word that was sent, and not answered. */
export const BROKEN = "The connection broke, so it may not have arrived. Press again when it is back.";

/** Of a `word` that the server has taken. `named`: the student shares with their name, which the live page tells for
 *  "lost" alone; without a name it may not count (decision 12). */
export function taken(word, named) {
  if (!named) return "Sent, without your name. It counts once at least five take part without their name.";
  return word === "lost"
    ? "Sent, with your name."
    : "Sent. Your instructor sees how many said so now, and your name with it in the report.";
}

/** Of a word that was sent, and does not count any more. */
export function itIsOver(ms, named) {
  const minutes = Math.round(ms / 60_000);
  const words = minutes === 1 ? "one minute" : `${minutes} minutes`;
  return `${named ? `It counted for ${words}` : `That was more than ${words} ago`}. Press again if it is still so.`;
}

/** Why a press was not sent. */
export const unsent = (connection) =>
  connection === "connecting"
    ? "Not sent: the page is still connecting. Press again in a moment."
    : "Not sent: the connection is gone. Press again when it is back.";

/** What the teacher's page says of this student, in the same words; "" where it says nothing. `clock`: ms -> "14:03". */
export function attentionLine({ troubled_ms, unsure, lost_ms }, clock) {
  const parts = [];
  if (lost_ms !== null) parts.push(`said “lost” at ${clock(lost_ms)}`);
  if (troubled_ms !== null) {
    parts.push(`looked troubled more than usual since ${clock(troubled_ms)}, ${unsure ? "unsure" : "fairly sure"}`);
  }
  return parts.length ? `Your instructor's page says that you may need them: ${parts.join(" · ")}.` : "";
}

export const FRAMING = {
  no_face: "No face in the picture. Look towards the camera; until then you count as not visible.",
  too_far: "Your face is small in the picture. Come a little closer to the camera.",
  too_dark: "It is too dark to read your face. A lamp or a window in front of you helps.",
};

export const UNREAD_HERE = "This device gives no reading just now. If it stays so, reload the page.";
export const UNREAD = "No reading of you is stored just now: a part of the server is down or has too much to do. It goes on by itself; you need do nothing.";
export const STILL_IN = "You are still in the session.";
/** What is wrong with the camera: what happened, what it means, what to do. `state`: what the class is told. */
export const PROBLEMS = {
  denied: {
    state: "denied",
    words: `This page may not use your camera. Allow it, then press Try again.
On a computer: with the sign beside the address.
On an iPhone or iPad: in the page's menu beside the address (aA), under Website Settings.
On Android: with the sign left of the address, under Permissions.
Opened inside another app? Open it in Safari or Chrome instead.
`,
  },
  missing: {
    state: "off",
    words: `No camera was found. Plug one in, then press Try again.`,
  },
  unplugged: {
    state: "off",
    words: `Your camera was unplugged or taken away from this page. Connect it, then press Try again.`,
  },
  busy: {
    state: "busy",
    words: `Your camera is used by another program. Close it there, then press Try again.`,
  },
  still: {
    state: "busy",
    words: `No picture comes from your camera. Open its cover or close the other program that uses it; it then goes on by itself.`,
  },
  broken: {
    state: "off",
    words: `A part of this page did not load, so no picture is read. It tries again when the connection is back; you can also press Try again.`,
  },
  insecure: {
    state: "off",
    words: `Browsers give no camera to a page without https. Ask your instructor for the address that begins with https://.`,
  },
  no_device: {
    state: "off",
    words: `What reads pictures on this device did not load, or does not run in this browser, so nothing is measured: no picture is sent either. It tries again when the connection is back; you can also press Try again. If that does not help, open the page in a newer browser.`,
  },
  unsupported: {
    state: "off",
    words: `This browser is too old to read its camera here, or belongs to another app. Open the page in a newer one, such as Safari or Chrome.`,
  },
};

/** After these codes the socket stays closed. `action`: what the button does. */
export const ENDINGS = {
  [CODE.MALFORMED]: { title: "This page lost its thread", words: "It sent something that the server did not understand. Nothing is measured now. Reload the page to go on.", action: "reload" },
  [CODE.NOT_JOINED]: { title: "You are not in this session here", words: "This browser has not joined, or it was too long ago. Nothing is measured. Type the code to join again.", action: "join" },
  [CODE.REMOVED]: { title: "You were removed", words: "Your instructor has removed you from this session, and nothing more is measured. Speak to them if you think that it is a mistake." },
  [CODE.NO_SUCH_SESSION]: { title: "No such session", words: "This session does not exist any more. Nothing is measured. Ask your instructor for the code.", action: "join" },
  [CODE.TAKEN_OVER]: { title: "Another tab took over", words: "You opened this session in another tab or window. That one goes on; here nothing is measured.", action: "here" },
  [CODE.SESSION_ENDED]: { title: "This session has ended", words: "Nothing more is measured, and your camera is off. You can close this page.", action: "join" },
  [CODE.WITHDRAWN]: { title: "Measuring has stopped", words: "In another tab you stopped it, or left. Nothing more is measured, and your camera is off.", action: "reload" },
  [CODE.TOO_LARGE]: { title: "The pictures are too large", words: "This browser sent a picture larger than the server takes. Nothing is measured now. Reload the page to try again.", action: "reload" },
  [CODE.OUTDATED]: { title: "Roomtone was updated", words: "This page is from before, and nothing is measured now. It loads anew by itself within a minute.", action: "reload" },
  [CODE.TOO_MANY]: { title: "Too many messages", words: "This page sent more than the server takes, so it was cut off. Wait a minute, then reload the page.", action: "reload" },
};
/** The same, where they are other words to one who takes part without a camera. */
export const ENDINGS_WITHOUT_CAMERA = {
  [CODE.SESSION_ENDED]: { words: "No more words about the pace are taken. You can close this page." },
  [CODE.WITHDRAWN]: { title: "You stopped in another tab", words: "There you left, or took back what you agreed to. Nothing is measured." },
};
export const OTHER_ENDING = { title: "The connection was closed", words: "The server closed it for good, and nothing is measured. Reload the page to go on.", action: "reload" };
export const ACTIONS = { reload: "Reload", join: "Join a session", here: "Use this tab" };
