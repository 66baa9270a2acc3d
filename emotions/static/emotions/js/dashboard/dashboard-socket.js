// The dashboard's socket: comes back by itself, and asks only for what it has not seen.

import { socketUrl } from "../page-format.js";
import { isFinal, waitAfter } from "../retry.js";

const SILENCE_MS = 20_000;

/**
 * `onMessage(message)` for each message; `onState({name, again?, code?})` with the names connecting (`again`: after a failure), open,
 * waiting, closed. `after()` tells the sequence that the page has, or null; `expectsNews()` whether more should be coming than the
 * server's word that the line lives.
 */
export class DashboardSocket {
  constructor(path, { after, expectsNews, onMessage, onState }) {
    Object.assign(this, { path, after, expectsNews, onMessage, onState, attempt: 0, socket: null, timer: null, silence: null });
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.retryNow());
  }

  open() {
    this.onState({ name: "connecting", again: this.attempt > 0 });
    const socket = new WebSocket(this.address());
    this.socket = socket;
    socket.addEventListener("message", (event) => this.receive(event));
    socket.addEventListener("close", (event) => socket === this.socket && this.closed(event.code));
    this.listen();
  }

  address() {
    const url = socketUrl(this.path);
    const after = this.after();
    if (after !== null) url.searchParams.set("after", after);
    return url;
  }

  receive(event) {
    const message = JSON.parse(event.data);
    if (message.type !== "still.here" || !this.expectsNews()) this.listen();
    if (this.attempt !== 0 || !this.isOpen) this.onState({ name: "open" });
    this.isOpen = true;
    this.attempt = 0;
    this.onMessage(message);
  }

  /** A connection that has gone silent is given up: the other side may be gone without a word. */
  listen() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => (this.isOpen && document.hidden ? this.listen() : this.drop()), SILENCE_MS);
  }

  drop() {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.closed(1006);
  }

  closed(code) {
    clearTimeout(this.silence);
    this.isOpen = false;
    this.socket = null;
    if (isFinal(code)) return this.onState({ name: "closed", code });
    const seconds = waitAfter(this.attempt++);
    this.onState({ name: "waiting" });
    this.timer = setTimeout(() => this.retryNow(), seconds * 1000 * (0.75 + Math.random() / 2));
    return undefined;
  }

  retryNow() {
    if (this.socket || this.timer === null) return;
    clearTimeout(this.timer);
    this.timer = null;
    this.open();
  }

  stop() {
    clearTimeout(this.silence);
    clearTimeout(this.timer);
    this.timer = null;
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }
}
