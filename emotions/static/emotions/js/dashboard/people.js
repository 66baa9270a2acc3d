// Who is in the session, whatever they share: names, and nothing of what was measured. For letting somebody out.

import { fetched } from "../asking.js";
import { write } from "./now.js";

const byId = (id) => document.getElementById(id);

/**
 * `url`: answers `people`; `clock`: ms -> "14:03"; `now()`: the server's time; `thereForMs`: so long after the last sign of somebody
 * they count as there; `onOpen(id, name)`: a name was pressed. Read anew each time it opens.
 */
export class People {
  constructor(url, { clock, now, thereForMs, onOpen }) {
    Object.assign(this, { url, clock, now, thereForMs });
    byId("people-open").addEventListener("click", () => this.load());
    byId("people").addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (!button) return;
      byId("people-dialog").close();
      onOpen(button.dataset.id, button.dataset.name);
    });
  }

  async load() {
    byId("people").replaceChildren();
    write(byId("people-note"), "Loading");
    try {
      const { people } = await fetched(this.url);
      byId("people").replaceChildren(...people.map((person) => row(person, this.since(person))));
      write(byId("people-note"), people.length ? "Press a name to see or remove a student." : "Nobody is in the session.");
    } catch (error) {
      write(byId("people-note"), `${error.message} Close this and open it again.`);
    }
  }

  /** Since when they are here. Whoever has closed the page without leaving is still on the list, and not connected. */
  since({ joined_ms, seen_ms }) {
    const joined = `joined ${this.clock(joined_ms)}`;
    if (this.now() - (seen_ms ?? joined_ms) < this.thereForMs) return joined;
    return seen_ms === null ? `${joined}, never connected` : `${joined}, not connected since ${this.clock(seen_ms)}`;
  }
}

function row({ id, name }, words) {
  const [item, button, since] = ["li", "button", "span"].map((tag) => document.createElement(tag));
  button.type = "button";
  button.className = "link-button";
  Object.assign(button.dataset, { id, name });
  button.textContent = name;
  since.className = "muted small";
  since.textContent = words;
  item.append(button, since);
  return item;
}
