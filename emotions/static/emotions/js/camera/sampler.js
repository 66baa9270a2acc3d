// Takes pictures, one at a time, and sends each; or reads it here, and sends what was read.

import { packFrame, packReading } from "./frame.js";

export class Sampler {
  /** When a picture was taken last, and where it is read here, read: whatever became of it. */
  takenAt = 0;
  #counts = { sent: 0, read: 0, unseen: 0, replaced: 0, rejected: 0, skipped: 0 };
  #sequence = 0;
  #busy = false;
  #camera;
  #place;
  #page;

  /** `page`: { drained(): whether everything before has left; wanted(): whether pictures are taken and read now;
   *  epoch(): of the consent in force; send(message): whether it is on its way; counted(counts): what became of this
   *  visit's pictures, by kind; unseen(help): a picture that was read here shows no face }. */
  constructor(camera, place, page) {
    [this.#camera, this.#place, this.#page] = [camera, place, page];
  }

  /** One picture more; none while the last one is still on its way. */
  async sample() {
    if (this.#busy || !this.#page.drained()) return this.count("skipped");
    this.#busy = true;
    try {
      await (this.#place.onDevice ? this.#readOne() : this.#sendOne());
    } finally {
      this.#busy = false;
    }
    return undefined;
  }

  /** One picture more became of it what `how` says. */
  count(how) {
    this.#counts[how] += 1;
    this.#page.counted(this.#counts);
  }

  async #sendOne() {
    const shot = await this.#camera.grab();
    if (!shot) return;
    this.takenAt = performance.now();
    // Where pictures are read may have changed meanwhile.
    if (this.#wanted("server")) this.#send(packFrame(this.#sequence, shot.captured_ms, this.#page.epoch(), shot.jpeg));
  }

  async #readOne() {
    const shot = await this.#camera.grab({ raw: true });
    const reading = shot && this.#wanted("device") && (await this.#place.read(shot));
    if (!reading || !this.#wanted("device")) return;
    this.takenAt = performance.now();
    if (reading.faces.length) this.#send(packReading(this.#sequence, shot.captured_ms, this.#page.epoch(), reading));
    else this.#unseen(reading.help); // Without a face there is nothing to send.
  }

  #wanted(where) {
    return this.#page.wanted() && this.#place.onDevice === (where === "device");
  }

  #send(message) {
    if (!this.#page.send(message)) return;
    this.#sequence += 1;
    this.count("sent");
  }

  #unseen(help) {
    this.count("unseen");
    this.#page.unseen(help);
  }
}
