// Reads pictures on this device: the page's side of worker.js, and how often this device can do it.

const SLOW_MS = 2000; // Below one reading in two seconds a student is told.
const BUSY = 0.5; // A device is left alone for at least as long as a reading takes.

/** How often to read, in ms, where one reading takes `ms`: never more than half of the time. */
export function pace(ms, wanted) {
  return Math.max(wanted, Math.ceil(ms / BUSY / 100) * 100);
}

export const isSlow = (interval, wanted) => interval > Math.max(SLOW_MS, wanted);

export class DeviceReader {
  /** How long a reading takes here, measured at the start. */
  ms = 0;
  #worker;
  #waiting = new Map();
  #last = 0;

  /** `urls`: as reader.js wants them. Resolves when it can read; throws why it can't. */
  static async open(urls) {
    const device = new DeviceReader();
    device.#worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    device.ms = await device.#opened(urls);
    return device;
  }

  /** What a picture shows ({ width, height, pixels }), or null while the last one is being read. */
  read({ width, height, pixels }, every = false) {
    if (this.#waiting.size) return Promise.resolve(null);
    const id = ++this.#last;
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.#worker.postMessage({ id, width, height, pixels, every }, [pixels]);
    return answer;
  }

  close() {
    this.#worker.terminate();
    this.#waiting.forEach((resolve) => resolve(null));
    this.#waiting.clear();
  }

  #opened(urls) {
    return new Promise((resolve, reject) => {
      const failed = (why) => {
        this.#worker.terminate();
        reject(new Error(why));
      };
      this.#worker.onerror = (event) => failed(event.message || "the worker does not start");
      this.#worker.onmessage = ({ data }) => {
        if (!data.ready) return failed(data.failed);
        this.#worker.onmessage = (message) => this.#answered(message.data);
        this.#worker.onerror = (event) => this.#broken(event.message);
        return resolve(data.ms);
      };
      this.#worker.postMessage({ urls });
    });
  }

  /** Nobody waits for an answer that will not come. */
  #broken(why) {
    console.warn("Pictures can't be read here just now:", why);
    this.#waiting.forEach((resolve) => resolve(null));
    this.#waiting.clear();
  }

  #answered({ id, reading, failed }) {
    if (failed) console.warn("A picture could not be read:", failed);
    this.#waiting.get(id)?.(reading ?? null);
    this.#waiting.delete(id);
  }
}
