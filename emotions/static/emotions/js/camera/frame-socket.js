// The socket that frames leave by. It comes back by itself (retry.js).

import { isFinal } from "../closing.js";
import { socketUrl } from "../page-format.js";
import { Retry } from "../retry.js";

const SILENT_MS = 12000; // Frames on their way and no answer for so long: the line is dead, whatever the browser thinks.
const OPENING_MS = 15000; // Until the server's first message. A line that dies while it is opened says nothing of it.
const QUIET_MS = 20000; // After so long without a message the server is asked whether it is there.

/** `socket.onstate(state, detail)`: "connecting", "open", "waiting" (detail: seconds), "closed" (detail: code).
 *  `socket.onmessage(message)`: parsed JSON. */
export class FrameSocket {
  onstate = () => {};
  onmessage = () => {};
  #url;
  #socket = null;
  #retry = new Retry(() => this.connect());
  #opening = 0;
  #greeted;
  #heardAt = 0;
  #waitedSince = null; // When an answer was first waited for, since the last message.

  /** `greeted`: whether the server speaks first. Where it doesn't, an open socket is one that works. */
  constructor(path, { greeted = true } = {}) {
    this.#greeted = greeted;
    this.#url = socketUrl(path);
    addEventListener("offline", () => this.#giveUp()); // The browser says so long before an answer would be missed.
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Whether everything that was sent has left this computer. */
  get drained() {
    return this.open && this.#socket.bufferedAmount === 0;
  }

  connect() {
    this.close();
    this.onstate("connecting");
    this.#opening = setTimeout(() => this.#giveUp(), OPENING_MS);
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = ({ data }) => this.#received(socket, data);
    socket.onclose = ({ code }) => this.#closed(socket, code);
  }

  /** Close for good (until `connect`); nothing is reported. */
  close() {
    this.#retry.cancel();
    clearTimeout(this.#opening);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  send(data) {
    if (!this.open) return false;
    this.#socket.send(data instanceof ArrayBuffer ? data : JSON.stringify(data));
    return true;
  }

  /** Whether nothing was heard for so long that it is time to ask. */
  get quiet() {
    return this.open && performance.now() - this.#heardAt > QUIET_MS;
  }

  /** Called now and then while answers are owed: gives up a line that has gone silent, and connects anew. */
  checkAlive() {
    this.#waitedSince ??= performance.now();
    if (this.open && performance.now() - this.#waitedSince >= SILENT_MS) this.#giveUp();
  }

  #giveUp() {
    const socket = this.#socket;
    if (!socket) return;
    this.#closed(socket, 1006);
    socket.close(1000);
  }

  #opened(socket) {
    if (socket !== this.#socket) return;
    if (!this.#greeted) clearTimeout(this.#opening);
    this.#waitedSince = null;
    this.#heardAt = performance.now();
    this.onstate("open");
  }

  #received(socket, data) {
    if (socket !== this.#socket) return;
    clearTimeout(this.#opening);
    this.#waitedSince = null;
    this.#heardAt = performance.now();
    this.#retry.succeeded();
    this.onmessage(JSON.parse(data));
  }

  #closed(socket, code) {
    if (socket !== this.#socket) return;
    clearTimeout(this.#opening);
    this.#socket = null;
    if (isFinal(code)) this.onstate("closed", code);
    else this.onstate("waiting", this.#retry.failed());
  }
}
