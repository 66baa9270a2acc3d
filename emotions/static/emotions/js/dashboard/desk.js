// What the teacher may act on, wired to the page: alerts, who may need them, raised hands, markers.

import { send } from "../asking.js";
import { MarkerList } from "./markers.js";
import { ActionList, Alerts, SHOWN, handsUp, newcomers, reasons } from "./notices.js";
import { announce, write } from "./now.js";
import { ago } from "./words.js";
import { toast } from "../../../classroom/js/toast.js";

const byId = (id) => document.getElementById(id);
const named = (what, names) => (names.length ? `${what}: ${names.join(", ")}.` : "");

/**
 * `live`: what the page knows of the students. `onOpen(id, name)`: a student's name was used; `onMarkers(markers)`:
 * they were changed; `onChange()`: the class is another. `clock`: ms -> "14:03".
 */
export class Desk {
  constructor(live, { clock, onOpen, onMarkers, onChange }) {
    Object.assign(this, { live, onOpen, onChange, noticed: { waiting: [], up: [] } });
    this.markers = new MarkerList({ clock, onChange: onMarkers });
    this.alerts = new Alerts(
      { line: byId("alert"), block: byId("alerts-block"), title: byId("alerts-title"), list: byId("alerts") },
      clock,
    );
    this.waiting = this.waitingList();
    this.hands = this.handsList();
    byId("attention-more").addEventListener("click", () => {
      this.waiting.all = true;
      onChange();
    });
  }

  waitingList() {
    return new ActionList(byId("attention"), {
      done: "Seen",
      heading: byId("attention-title"),
      says: (name) => `Seen: take ${name} off this list`,
      onOpen: this.onOpen,
      onDone: (id) => this.act("dismiss-form", id, () => this.live.dismiss(id)),
    });
  }

  /** Of any length: whoever calls is on it. */
  handsList() {
    const list = new ActionList(byId("hands"), {
      done: "Lower",
      heading: byId("pace-title"),
      says: (name) => `Lower the hand of ${name}`,
      onOpen: (id) => this.onOpen(id, this.live.notices.hands.find((hand) => hand.id === id)?.name),
      onDone: (id) => this.act("lower-form", id, () => this.live.lower(id)),
    });
    list.all = true;
    return list;
  }

  update() {
    const alert = this.alerts.update(this.live.notices.alerts, this.live.now);
    this.markers.update(this.live.markers);
    const waiting = this.showWaiting();
    const up = this.showHands();
    const waits = named("May need you", newcomers(this.noticed.waiting, waiting));
    this.say([alert, waits, named("Hand up", newcomers(this.noticed.up, up))]);
    this.noticed = { waiting, up };
  }

  /** Only students with a tile are named here, so that both say the same. */
  showWaiting() {
    const students = this.live.notices.attention.filter(({ id }) => this.live.tiles.has(id));
    const rows = students.map((student) => ({
      id: student.id,
      name: this.live.tiles.get(student.id).name,
      words: reasons(student, this.live.now),
    }));
    this.showMore(this.waiting.update(rows));
    byId("nobody-waits").hidden = rows.length > 0 || !this.live.isKnown;
    return rows;
  }

  /** Where the button makes room for the rows that it brought, the first of them takes the focus over. */
  showMore(count) {
    const button = byId("attention-more");
    if (count === 0 && button === document.activeElement) this.waiting.focus(SHOWN);
    button.hidden = count === 0;
    write(button, `${count} more`);
  }

  showHands() {
    const { hands } = this.live.notices;
    const rows = hands.map((hand) => ({ id: hand.id, name: hand.name, words: ago(this.live.now - hand.at_ms) }));
    this.hands.update(rows);
    byId("hands-block").hidden = rows.length === 0;
    write(byId("hands-title"), handsUp(rows.length));
    return rows;
  }

  /** `news`: sentences, "" where there is none. */
  say(news) {
    const said = news.filter(Boolean);
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
