// The camera: opening it, taking pictures from it, saying what is wrong with it, letting it go.

const wanted = (facingMode, width, height) => ({
  audio: false,
  video: { facingMode, width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: 15, max: 30 } },
});
const A_FACE = { constraints: wanted("user", 640, 480), size: null };
const STILL_MS = 3000; // Without a new picture for so long, the browser or the camera has stopped it.

/** Why there is no camera; `problem` names the words in words.js. */
export class CameraProblem extends Error {
  constructor(problem, cause) {
    super(problem, { cause });
    this.problem = problem;
  }
}

const PROBLEMS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

/** A camera that looks at a room. `width`, `height`: of the pictures that it gives. */
export const aRoom = (width, height) => ({ constraints: wanted("environment", width, height), size: { width, height } });

async function openStream(constraints) {
  if (!window.isSecureContext) throw new CameraProblem("insecure");
  if (!navigator.mediaDevices?.getUserMedia || !window.OffscreenCanvas) throw new CameraProblem("unsupported");
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    throw new CameraProblem(PROBLEMS[error.name] ?? "missing", error);
  }
}

/** Events: "ended" (unplugged, or permission taken back), "still" (no new picture), "moving" (pictures again), "broken"
 *  (the encoder did not load, or failed: the camera is closed). */
export class Camera extends EventTarget {
  #video;
  #what;
  #stream = null;
  #encoder = null; // One for the page's life: another would have to be loaded, perhaps while there is no network.
  #direct = false; // Frames go from the track to the worker, without the page's video.
  #attempt = 0;
  #grabs = 0;
  #waiting = new Map();
  #still = false;

  /** `what`: by default one face, as the encoder has it; or `aRoom`. */
  constructor(video, what = A_FACE) {
    super();
    this.#video = video;
    this.#what = what;
  }

  get open() {
    return this.#stream !== null;
  }

  /** Ask for the camera. Throws CameraProblem. Started twice, or closed meanwhile, only the last start counts: the others
   *  resolve to false. */
  async start() {
    this.close();
    const attempt = this.#attempt;
    const stream = await openStream(this.#what.constraints);
    if (attempt !== this.#attempt) {
      stop(stream);
      return false;
    }
    this.#stream = stream;
    const [track] = stream.getVideoTracks();
    track.addEventListener("ended", () => this.#lost(stream));
    this.#encoder ??= this.#startEncoder();
    this.#follow(track);
    this.#video.srcObject = stream;
    return true;
  }

  /** Let it go: its light goes off. */
  close() {
    this.#attempt++;
    if (!this.#stream) return;
    stop(this.#stream);
    this.#waiting.forEach((answer) => answer(null));
    this.#waiting.clear();
    this.#stream = this.#video.srcObject = null;
    this.#still = false;
  }

  /** { jpeg, captured_ms } of a picture newer than the last one, or null. One at a time.
   *  With `raw`: { pixels, width, height, captured_ms }, RGBA bytes, for those who read it here. */
  async grab({ raw = false } = {}) {
    if (!this.#stream) return null;
    const shot = this.#direct ? await this.#ask(raw) : await this.#grabVideo(raw);
    if (!shot) return null;
    this.#notice(shot.still_ms > STILL_MS);
    return shot.jpeg || shot.pixels ? shot : null;
  }

  #startEncoder() {
    const encoder = new Worker(new URL("./encoder.js", import.meta.url));
    encoder.onmessage = ({ data }) => this.#answer(data);
    encoder.onerror = () => this.#broken(encoder);
    if (this.#what.size) encoder.postMessage({ size: this.#what.size });
    return encoder;
  }

  #follow(track) {
    this.#direct = "MediaStreamTrackProcessor" in window;
    const readable = this.#direct ? new MediaStreamTrackProcessor({ track }).readable : null;
    this.#encoder.postMessage({ readable }, readable ? [readable] : []);
  }

  #broken(encoder) {
    encoder.terminate();
    this.#encoder = null;
    this.close();
    this.dispatchEvent(new Event("broken"));
  }

  #answer(data) {
    this.#waiting.get(data.id)?.(data);
    this.#waiting.delete(data.id);
  }

  #ask(raw, bitmap) {
    const id = ++this.#grabs;
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.#encoder.postMessage({ id, bitmap, raw }, bitmap ? [bitmap] : []);
    return answer;
  }

  // Browsers that keep a track's frames from us: what the video shows. The worker sees whether it is new; what browsers
  // count of a video (frames, seconds) stands still in Firefox for a camera's stream, or on a hidden page.
  async #grabVideo(raw) {
    const ready = this.#video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    const bitmap = ready ? await createImageBitmap(this.#video).catch(noPicture) : null;
    return this.#stream ? this.#ask(raw, bitmap) : null;
  }

  #notice(still) {
    if (still === this.#still) return;
    this.#still = still;
    this.dispatchEvent(new Event(still ? "still" : "moving"));
  }

  #lost(stream) {
    if (stream !== this.#stream) return;
    this.close();
    this.dispatchEvent(new Event("ended"));
  }
}

/** A video may have none though it said otherwise: it has just begun, or stopped at this moment. The next may come. */
function noPicture(error) {
  console.warn("A picture could not be taken:", error);
  return null;
}

function stop(stream) {
  stream.getTracks().forEach((track) => track.stop());
}
