// The dashboard's socket: comes back by itself, and asks only for what it has not seen.

import { isFinal } from "../closing.js";
import { socketUrl } from "../page-format.js";
import { Retry } from "../retry.js";

const SILENCE_MS = 20_000;

/**
 * `onMessage(message)` for each message; `onState({name, again?, code?})` with the names connecting (`again`: after a failure), open,
 * waiting, closed. `after()` tells the sequence that the page has, or null; `expectsNews()` whether more should be coming than the
 * server's word that the line lives.
 */
export class DashboardSocket {
  constructor(path, { after, expectsNews, onMessage, onState }) {
    Object.assign(this, { path, after, expectsNews, onMessage, onState, socket: null, silence: null, isOpen: false });
    this.retry = new Retry(() => this.open());
    addEventListener("offline", () => this.socket && this.drop()); // The browser says so long before the silence would.
  }

  open() {
    this.onState({ name: "connecting", again: this.retry.failing });
    const socket = new WebSocket(this.address());
    this.socket = socket;
    socket.onmessage = ({ data }) => socket === this.socket && this.receive(data);
    socket.onclose = ({ code }) => socket === this.socket && this.closed(code);
    this.listen();
  }

  address() {
    const url = socketUrl(this.path);
    const after = this.after();
    if (after !== null) url.searchParams.set("after", after);
    return url;
  }

  receive(data) {
    const message = JSON.parse(data);
    if (message.type !== "still.here" || !this.expectsNews()) this.listen();
    if (!this.isOpen) this.onState({ name: "open" });
    this.isOpen = true;
    this.retry.succeeded();
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
    this.retry.failed();
    return this.onState({ name: "waiting" });
  }

  stop() {
    clearTimeout(this.silence);
    this.retry.cancel();
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }
}
