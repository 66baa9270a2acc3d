// The named moments as a list; each can be renamed and removed in a dialog.

import { inPlace, openDialog } from "./controls.js";
import { write } from "./now.js";

const byId = (id) => document.getElementById(id);

/** `onChange(markers)` gets the markers as they are after a change. `clock`: ms -> "14:03". */
export class MarkerList {
  constructor({ clock, onChange }) {
    Object.assign(this, { clock, onChange, markers: [], chosen: null, shown: "" });
    byId("markers").addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) this.open(Number(button.dataset.id));
    });
    inPlace(byId("rename-form"), ({ marker }) => this.changed(this.markers.map((one) => (one.id === marker.id ? marker : one))));
    inPlace(byId("unmark-form"), ({ removed }) => this.changed(this.markers.filter(({ id }) => id !== removed)));
  }

  update(markers) {
    this.markers = markers;
    byId("markers-block").hidden = markers.length === 0;
    write(byId("markers-title"), markers.length === 1 ? "1 marker" : `${markers.length} markers`);
    const lines = markers.map(({ id, at_ms, label }) => [id, `${this.clock(at_ms)} ${label}`]);
    if (JSON.stringify(lines) === this.shown) return;
    this.shown = JSON.stringify(lines);
    byId("markers").replaceChildren(...lines.map(([id, words]) => row(id, words)));
  }

  open(id) {
    const marker = this.markers.find((one) => one.id === id);
    for (const form of ["rename-form", "unmark-form"]) byId(form).action = byId(form).dataset.action.replace("/0/", `/${id}/`);
    byId("change-label").defaultValue = marker.label;
    write(byId("change-time"), this.clock(marker.at_ms));
    openDialog("change-dialog");
  }

  changed(markers) {
    byId("change-dialog").close();
    this.onChange(markers);
    // The row that was pressed is made anew, or gone; with the last one the whole list goes.
    (markers.length ? byId("markers-title") : document.querySelector("[data-opens=marker-dialog]")).focus();
  }
}

function row(id, words) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "link-button small", textContent: words });
  button.dataset.id = id;
  button.setAttribute("aria-label", `${words}: rename or remove`);
  item.append(button);
  return item;
}
