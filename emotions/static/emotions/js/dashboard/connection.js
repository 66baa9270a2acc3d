// The connection, in words.

import { OUTDATED, loadAnew } from "../page-format.js";
import { write } from "./now.js";

const WORDS = {
  connecting: () => "Connecting…",
  open: () => "Live",
  waiting: ({ seconds }) => `Connection lost. Next try in ${seconds} s`,
  closed: () => "Closed",
};
const CLOSED = {
  4401: "You are signed out. Sign in again, and this page goes on where it was.",
  4404: "This session is no longer yours to watch.",
  [OUTDATED]: "Roomtone was updated. This page loads anew by itself within a minute.",
};
export const SESSION_ENDED = 4410;

const byId = (id) => document.getElementById(id);

/** `state`: what LiveSocket's `onState` is called with. */
export function showConnection(state) {
  write(byId("connection-words"), WORDS[state.name](state));
  byId("connection").dataset.state = state.name;
  if (state.name === "closed" && state.code !== SESSION_ENDED) showClosed(state.code);
}

function showClosed(code) {
  byId("closed").hidden = false;
  write(byId("closed-words"), CLOSED[code] ?? `The server closed the connection (${code}). Reload the page.`);
  byId("closed-sign-in").hidden = code !== 4401;
  if (code === OUTDATED) loadAnew();
}

/** The page of a session that is over: its last picture, and the way to the report. */
export function showEnded() {
  byId("ended").hidden = false;
  byId("connection").hidden = true;
  for (const element of document.querySelectorAll("[data-live-only]")) element.hidden = true;
}
