// One student in a dialog, with their readings if they share them; and the two steps to remove them.

import { inPlace, isFocusLost, openDialog } from "./controls.js";
import { write } from "./now.js";
import { newSpark, sparkPoints, studentWords } from "./tiles.js";
import { curveWords } from "./words.js";

const byId = (id) => document.getElementById(id);

/** `onRemoved(id)`: the server has let the student out. */
export class StudentDialog {
  constructor(live, { onRemoved }) {
    Object.assign(this, { live, chosen: null, dialog: byId("student-dialog") });
    this.dialog.addEventListener("close", () => (this.chosen = null));
    byId("remove-ask").addEventListener("click", () => this.ask());
    byId("remove-not").addEventListener("click", () => this.keep());
    inPlace(byId("remove-form"), ({ participant }) => {
      if (this.chosen === participant) this.dialog.close(); // By now it may be another's.
      onRemoved(participant);
    });
  }

  /** `name`: of who may share no readings with it, and then has no tile. */
  open(id, name = "") {
    this.chosen = id;
    this.named = this.live.tiles.has(id) ? "" : name;
    byId("student-readings").hidden = Boolean(this.named);
    byId("student-spark").replaceChildren(newSpark().svg);
    this.asking(false);
    this.update();
    if (this.chosen) openDialog("student-dialog");
  }

  /** The student may be gone by now. */
  update() {
    if (!this.chosen) return undefined;
    byId("remove-form").elements.participant.value = this.chosen;
    if (this.named) {
      write(byId("student-name"), this.named);
      write(byId("student-words"), "Shares no readings with their name.");
      return undefined;
    }
    const tile = this.live.tiles.get(this.chosen);
    if (!tile) return this.gone();
    write(byId("student-name"), tile.name);
    write(byId("student-words"), studentWords(tile, this.live.now));
    this.dialog.querySelector("polyline").setAttribute("points", sparkPoints(tile.spark));
    write(byId("student-curve"), curveWords(tile.spark));
    return undefined;
  }

  /** The tile that the dialog was opened from is gone as well: the focus has nowhere to go back to. */
  gone() {
    this.chosen = null;
    this.dialog.close();
    if (isFocusLost() || this.dialog.contains(document.activeElement)) byId("students-title").focus();
  }

  /** The question has the focus, not its answer: whoever presses twice removes nobody. */
  ask() {
    write(byId("remove-name"), `Remove ${byId("student-name").textContent} from this session?`);
    this.asking(true);
    byId("remove-question").focus();
  }

  keep() {
    this.asking(false);
    byId("remove-ask").focus();
  }

  asking(on) {
    byId("remove-step").hidden = !on;
    byId("remove-ask").hidden = on;
  }
}
