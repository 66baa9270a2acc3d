// The connection, in words.

import { CODE } from "../closing.js";
import { loadAnew } from "../page-format.js";
import { write } from "./now.js";

// One phrase from the first failure until the connection is back: each other one would be read out.
const LOST = "Connection lost. Trying again";
const WORDS = {
  connecting: ({ again }) => (again ? LOST : "Connecting…"),
  open: () => "Live",
  waiting: () => LOST,
  closed: () => "Closed",
};
const CLOSED = {
  [CODE.NOT_JOINED]: "You are signed out. Sign in again, and this page goes on where it was.",
  [CODE.NO_SUCH_SESSION]: "This session is no longer yours to watch.",
  [CODE.OUTDATED]: "Roomtone was updated. This page loads anew by itself within a minute.",
};

const byId = (id) => document.getElementById(id);

/** `state`: what DashboardSocket's `onState` is called with. */
export function showConnection(state) {
  write(byId("connection-words"), WORDS[state.name](state));
  byId("connection").dataset.state = state.name;
  if (state.name === "closed" && state.code !== CODE.SESSION_ENDED) showClosed(state.code);
}

function showClosed(code) {
  byId("closed").hidden = false;
  write(byId("closed-words"), CLOSED[code] ?? `The server closed the connection (${code}). Reload the page.`);
  byId("closed-sign-in").hidden = code !== CODE.NOT_JOINED;
  if (code === CODE.OUTDATED) loadAnew();
  else rest();
}

/** Nothing can be done from this page any more; what it shows last stays. */
function rest() {
  document.body.classList.add("over");
  for (const element of document.querySelectorAll("[data-live-only]")) element.hidden = true;
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

/** The page of a session that is over: its last picture, and the way to the report. */
export function showEnded() {
  byId("ended").hidden = false;
  byId("connection").hidden = true;
  rest();
}
