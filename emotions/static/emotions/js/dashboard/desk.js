// What the teacher may act on, wired to the page: alerts, who may need them, raised hands, markers.

import { send } from "./controls.js";
import { MarkerList } from "./markers.js";
import { ActionList, Alerts, handsUp, newcomers, reasons } from "./notices.js";
import { announce, write } from "./now.js";
import { ago } from "./words.js";
import { toast } from "../../../classroom/js/toast.js";

const byId = (id) => document.getElementById(id);

/**
 * `live`, `tiles`: what the page knows and shows of the students. `onOpen(id, name)`: a student's name was used; `onMarkers(markers)`:
 * they were changed; `onChange()`: the class is another. `clock`: ms -> "14:03".
 */
export class Desk {
  constructor(live, tiles, { clock, onOpen, onMarkers, onChange }) {
    Object.assign(this, { live, tiles, onChange, noticed: { waiting: [], up: [] } });
    this.markers = new MarkerList({ clock, onChange: onMarkers });
    this.alerts = new Alerts(
      { line: byId("alert"), block: byId("alerts-block"), title: byId("alerts-title"), list: byId("alerts") },
      clock,
    );
    this.waiting = new ActionList(byId("attention"), {
      done: "Seen",
      heading: byId("attention-title"),
      says: (name) => `Seen: take ${name} off this list`,
      onOpen,
      onDone: (id) => this.act("dismiss-form", id, () => live.dismiss(id)),
    });
    this.hands = new ActionList(byId("hands"), {
      done: "Lower",
      heading: byId("pace-title"),
      says: (name) => `Lower the hand of ${name}`,
      onOpen: (id) => onOpen(id, live.notices.hands.find((hand) => hand.id === id)?.name),
      onDone: (id) => this.act("lower-form", id, () => live.lower(id)),
    });
    this.hands.all = true;
    byId("attention-more").addEventListener("click", () => {
      this.waiting.all = true;
      onChange();
    });
  }

  update() {
    this.alerts.update(this.live.notices.alerts, this.live.now);
    this.markers.update(this.live.markers);
    const waiting = this.showWaiting();
    const up = this.showHands();
    this.say([
      ["May need you", newcomers(this.noticed.waiting, waiting)],
      ["Hand up", newcomers(this.noticed.up, up)],
    ]);
    this.noticed = { waiting, up };
  }

  /** Only students with a tile are named here, so that both say the same. */
  showWaiting() {
    const students = this.live.notices.attention.filter(({ id }) => this.live.tiles.has(id));
    const rows = students.map((student) => ({
      id: student.id,
      name: this.nameOf(student),
      words: reasons(student, this.live.now),
    }));
    const more = this.waiting.update(rows);
    byId("nobody-waits").hidden = rows.length > 0 || !this.live.isKnown;
    byId("attention-more").hidden = more === 0;
    write(byId("attention-more"), `${more} more`);
    return rows;
  }

  showHands() {
    const { hands } = this.live.notices;
    const rows = hands.map((hand) => ({ id: hand.id, name: this.nameOf(hand), words: ago(this.live.now - hand.at_ms) }));
    this.hands.update(rows);
    byId("hands-block").hidden = rows.length === 0;
    write(byId("hands-title"), handsUp(rows.length));
    return rows;
  }

  /** As the tiles say it, where there is one. */
  nameOf({ id, name }) {
    return this.live.tiles.has(id) ? this.tiles.names.of(id) : name;
  }

  say(news) {
    const said = news.filter(([, names]) => names.length).map(([what, names]) => `${what}: ${names.join(", ")}.`);
    if (said.length) announce(byId("attention-said"), said.join(" "));
  }

  /** The form says it to the server; then the row goes. */
  async act(form, id, onDone) {
    byId(form).elements.participant.value = id;
    try {
      await send(byId(form));
      onDone();
      this.onChange();
    } catch (error) {
      toast(error.message, { key: "refused", seconds: 12 });
    }
  }
}
