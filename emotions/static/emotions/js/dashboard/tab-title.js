// The tab calls the teacher while another window is in front: how many hands are up, how many alerts are fresh. Never a name.

import { isFresh } from "./notices.js";

const plain = document.title;

const counted = (count, what) => (count === 0 ? "" : `${count} ${what}${count === 1 ? "" : "s"}`);

/** "2 hands · 1 alert · Calculus 1 · live · Roomtone". */
export function callInTitle({ hands, alerts }, now) {
  const fresh = alerts.filter((alert) => isFresh(alert, now));
  const title = [counted(hands.length, "hand"), counted(fresh.length, "alert"), plain].filter(Boolean).join(" · ");
  if (document.title !== title) document.title = title;
}

/** Nothing can be done from the page any more. */
export function restTitle() {
  document.title = plain;
}
