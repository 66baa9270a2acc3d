// What the student says: a word about the pace, and a hand. The server cuts off whoever says more than it takes, words and
// hands together: each has its turn. Of several taps on words in a row, the last one counts.

import { BROKEN, HAND, itIsOver, taken, unsent } from "./words.js";

const EVERY_MS = 2000;

export class Saying {
  #view;
  #connection;
  #send;
  #waiting = new Map(); // What is about to be said, by kind.
  #unanswered = new Set(); // Of "word" and "hand".
  #turn = 0; // When something may next be said.
  #counted = 0;
  #said = null; // The word that was sent last.
  #missed = null; // { word, words }: what was pressed and may not have arrived, and the words that ask for another press.
  #lowering = 0;
  #toPress = false; // Whether the words beside the hand ask for another press.

  /** `connection()`: how it stands; `send(message)`: whether it is on its way. */
  constructor(view, { connection, send }) {
    this.#view = view;
    this.#connection = connection;
    this.#send = send;
  }

  word(word) {
    this.#missed = null;
    this.#show("Sending");
    this.#inTurn("word", () => {
      this.#said = word;
      if (!this.#say("word", { type: "check_in", word })) this.#miss(unsent(this.#connection()));
    });
  }

  /** Raise it, or lower it. The button rests until the server has answered. */
  hand() {
    const up = !this.#view.handIsUp;
    this.#view.hand(null, HAND.sending);
    this.#inTurn("hand", () => {
      if (!this.#say("hand", { type: "hand", up })) this.#press(!up, unsent(this.#connection()));
    });
  }

  /** It counts for `for_ms` more, with the name or without. Said `ago_ms` ago: the server reminds a page that opens, or opens its
   *  line anew. */
  wordSaved({ word, for_ms, ago_ms, by_name: named }) {
    this.#unanswered.delete("word");
    if (this.#missed?.word === word) this.#missed = null;
    this.#show(this.#missed?.words ?? taken(word, named), word);
    this.#counted = setTimeout(() => this.#show(itIsOver(ago_ms + for_ms, named)), for_ms);
  }

  handMoved(for_ms) {
    this.#unanswered.delete("hand");
    this.handIs(for_ms);
  }

  /** Up for `ms` more, or down (0). */
  handIs(ms) {
    clearTimeout(this.#lowering);
    this.#toPress = false;
    this.#view.hand(ms > 0, ms > 0 ? HAND.up : HAND.down);
    if (ms > 0) this.#lowering = setTimeout(() => this.handIs(0), ms);
  }

  /** The line is made anew: what was not answered may not have arrived. While it is `gone`, the teacher sees no hand. */
  broken(gone) {
    if (this.#unanswered.delete("word")) this.#miss(BROKEN);
    if (this.#unanswered.delete("hand")) this.#press(this.#view.handIsUp, BROKEN);
    else if (gone && this.#view.handIsUp && !this.#toPress) this.#view.hand(true, HAND.unseen);
  }

  /** Words that ask for another press, which stand until the server says how the hand is. */
  #press(up, words) {
    this.#toPress = true;
    this.#view.hand(up, words);
  }

  #miss(words) {
    this.#missed = { word: this.#said, words };
    this.#show(words);
  }

  /** `word`: the one that is said and counts, if any. */
  #show(words, word = null) {
    clearTimeout(this.#counted);
    this.#view.checkIn(words, word);
  }

  /** Whether it is on its way. */
  #say(kind, message) {
    const sent = this.#send(message);
    if (sent) this.#unanswered.add(kind);
    return sent;
  }

  #inTurn(kind, act) {
    const waits = this.#waiting.has(kind);
    this.#waiting.set(kind, act);
    if (waits) return;
    const now = performance.now();
    const at = Math.max(now, this.#turn);
    this.#turn = at + EVERY_MS;
    setTimeout(() => {
      const said = this.#waiting.get(kind);
      this.#waiting.delete(kind);
      said();
    }, at - now);
  }
}
