// Where this page's pictures are read: on the server, or on this device. What the student chose is kept in the browser.

import { DeviceReader, isSlow, pace } from "./device.js";

const KEY = "roomtone.reading-place";

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // A browser that keeps nothing asks each time.
  }
}

function remember(place) {
  try {
    localStorage.setItem(KEY, place);
  } catch {
    // It is asked again the next time.
  }
}

/** `allowed`: "server" | "device" | "choice"; `device`: { urls, version, odds, uncertain_below }, or null where the server
 *  has no files for it; `sends`: what leaves this device then, in words. Event "changed": the place, or whether this
 *  device is ready. */
export class Place extends EventTarget {
  failed = false;
  #allowed;
  #device;
  #sends;
  #chosen;
  #reader = null;
  #opening = null;

  constructor(allowed, device, sends = "no picture leaves it, only numbers") {
    super();
    [this.#allowed, this.#device, this.#sends] = [allowed, device, sends];
    this.#chosen = remembered() === "device" ? "device" : "server";
  }

  get onDevice() {
    return this.#allowed === "device" || (this.#allowed === "choice" && this.#chosen === "device");
  }

  get choosable() {
    return this.#allowed === "choice";
  }

  get ready() {
    return this.#reader !== null;
  }

  get version() {
    return this.#device.version;
  }

  /** Whether the reading `label` (its place) of these seven probabilities would too often be wrong in a lesson, where most
   *  faces are neutral: as the server's ml/lesson.py says it. */
  isUncertain(probabilities, label) {
    const { odds, uncertain_below } = this.#device;
    const weighed = probabilities.map((share, place) => share * odds[place]);
    return weighed[label] / weighed.reduce((sum, share) => sum + share) < uncertain_below;
  }

  /** Load what this device needs, once. It may fail: then `failed` is set, and no picture goes anywhere; but not where
   *  the student has changed to the server meanwhile. */
  async open() {
    if (!this.onDevice || this.#reader) return;
    this.#opening ??= this.#load();
    await this.#opening;
  }

  async #load() {
    this.failed = false;
    try {
      this.#reader = await DeviceReader.open(this.#device.urls);
    } catch (error) {
      console.warn("Pictures can't be read on this device:", error.message);
      this.failed = this.onDevice;
    }
    this.#opening = null;
    this.#changed();
  }

  switch() {
    this.#chosen = this.onDevice ? "server" : "device";
    remember(this.#chosen);
    this.failed = false;
    this.#changed();
    return this.open();
  }

  /** How often pictures are taken, where the server asks for one every `wanted` ms. */
  interval(wanted) {
    return this.onDevice && this.ready ? pace(this.#reader.ms, wanted) : wanted;
  }

  /** In words: where, and whether this device is slow. */
  line(wanted) {
    if (!this.onDevice) return "Read on the server: small pictures go there, and are gone within seconds.";
    if (this.failed) return "To be read on this device: no picture leaves it.";
    if (!this.ready) return "Read on this device: no picture leaves it. Loading what it needs.";
    const interval = this.interval(wanted);
    const slow = isSlow(interval, wanted) ? ` This device is slow: it is read every ${Math.round(interval / 1000)} seconds.` : "";
    return `Read on this device: ${this.#sends}.${slow}`;
  }

  /** As DeviceReader.read. */
  read(picture, every) {
    return this.#reader.read(picture, every);
  }

  #changed() {
    this.dispatchEvent(new Event("changed"));
  }
}
