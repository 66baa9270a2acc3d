// What the page knows of the class: the snapshot, and what the ticks changed since.

const LONGEST_HOURS = 6;
const NO_TICK_MS = 4_000; // Ticks come each second, where they come.
const NOTHING_BESIDE = { room: null, unread: false };

export class LiveClass {
  /** `now_ms`: the server's time when the page was written; `latest`: the newest point then, or null. `tile_fields`: what stands where in a tick's
   * tiles; `spark_length`: how many values a sparkline keeps (TILE_FIELDS and SPARK_LENGTH in emotions/messages.py). */
  constructor({ now_ms, latest, markers, tile_fields, spark_length }) {
    this.fields = tile_fields;
    this.sparkLength = spark_length;
    this.points = [];
    this.first = latest;
    this.markers = markers;
    this.tiles = new Map();
    this.changed = new Set();
    this.notices = { attention: [], hands: [], alerts: [] };
    this.beside = NOTHING_BESIDE;
    this.sequence = null; // Nothing has come over the socket yet.
    this.clock = { server: now_ms, page: performance.now() };
  }

  /** Whether anything has come over the socket: before, the page knows of no student by name. */
  get isKnown() {
    return this.sequence !== null;
  }

  get latest() {
    return this.points.at(-1) ?? this.first;
  }

  /** The server's time now, in Unix milliseconds, whatever this computer's clock says. */
  get now() {
    return this.clock.server + performance.now() - this.clock.page;
  }

  /** The server's clock, where no tick says it: this computer may have slept. Ticks may come from a host with another clock. */
  hear(now_ms) {
    if (performance.now() - this.clock.page > NO_TICK_MS) this.clock = { server: now_ms, page: performance.now() };
  }

  /** Everything as of a sequence. Points that the page has already stay: after a gap only the missing ones come. */
  snapshot(message) {
    for (const point of message.points) this.add(point);
    this.markers = message.markers;
    this.notices = message.notices;
    this.beside = NOTHING_BESIDE; // The next tick says it.
    const before = [...this.tiles.keys()];
    this.tiles = new Map(message.tiles.map((tile) => [tile.id, tile]));
    this.changed = new Set([...before, ...this.tiles.keys()]);
    this.sequence = message.sequence;
  }

  tick(message) {
    if (this.sequence !== null && message.point.sequence <= this.sequence) return;
    this.add(message.point);
    this.sequence = message.point.sequence;
    for (const id of message.gone) this.forget(id);
    for (const row of message.tiles) this.replace(this.tileOf(row));
    for (const tile of this.tiles.values()) this.grow(tile);
    this.notices = message.notices ?? this.notices;
    this.beside = { room: message.room, unread: message.unread };
  }

  tileOf(row) {
    return Object.fromEntries(this.fields.map(([field, values], place) => [field, meant(values, row[place])]));
  }

  /** A tick repeats no name; a student who is new comes with one. */
  replace(tile) {
    const { name = "", spark = [] } = this.tiles.get(tile.id) ?? {};
    this.tiles.set(tile.id, { ...tile, name: tile.name ?? name, spark });
    this.changed.add(tile.id);
  }

  /** A tick says only what looks different; a sparkline goes on with the value that the page has (emotions/mood/board.py). */
  grow(tile) {
    if (tile.value === null) return;
    tile.spark = [...tile.spark, tile.value].slice(-this.sparkLength);
    this.changed.add(tile.id);
  }

  forget(id) {
    this.tiles.delete(id);
    this.changed.add(id);
    this.dismiss(id); // A hand stays: whoever no longer shares a name with their readings may still call.
  }

  lower(id) {
    this.notices = { ...this.notices, hands: this.notices.hands.filter((hand) => hand.id !== id) };
  }

  /** The next tick says the same. */
  dismiss(id) {
    this.notices = { ...this.notices, attention: this.notices.attention.filter((student) => student.id !== id) };
  }

  add(point) {
    const last = this.points.at(-1);
    if (last && point.sequence <= last.sequence) return this.fill(point);
    this.points.push(point);
    if (this.points.length > LONGEST_HOURS * 3600) this.points.shift();
    this.clock = { server: point.at_ms, page: performance.now() };
    return undefined;
  }

  /** A point that is older than the newest: one of those missed, or one that the page was drawn with. */
  fill(point) {
    const at = this.points.findIndex((known) => known.sequence >= point.sequence);
    if (this.points[at].sequence !== point.sequence) this.points.splice(at, 0, point);
    else this.points[at] = point;
  }

  /** The ids of the tiles that changed since the last call. */
  takeChanged() {
    const changed = this.changed;
    this.changed = new Set();
    return changed;
  }
}

/** A ticker that is older than this page writes the value itself. */
function meant(values, written) {
  return values === null || typeof written !== "number" ? written : values[written];
}
