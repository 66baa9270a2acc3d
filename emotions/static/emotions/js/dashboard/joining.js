// How students come in: the code, the link, the picture, and whether the door is open.

import { write } from "./now.js";
import { toast } from "../../../classroom/js/toast.js";

const all = (selector) => document.querySelectorAll(selector);

/** Shows what `session` says wherever the page does; `update(session)` after each change. `qr`: the picture's address. */
export class JoiningCard {
  constructor(session, qr) {
    this.qr = qr;
    this.update(session);
    for (const button of all("[data-copy]")) button.addEventListener("click", () => this.copy());
  }

  update(session) {
    this.session = session;
    for (const element of all("[data-join-code]")) write(element, session.code_shown);
    for (const element of all("[data-join-link]")) write(element, this.link);
    const picture = `${this.qr}?code=${encodeURIComponent(session.join_code)}`;
    for (const image of all("[data-qr]")) if (image.getAttribute("src") !== picture) image.src = picture;
    const locked = session.joining_locked;
    document.getElementById("lock-form").hidden = locked;
    document.getElementById("unlock-form").hidden = !locked;
    document.getElementById("locked").hidden = !locked;
    document.body.classList.toggle("locked", locked);
  }

  get link() {
    return new URL(this.session.join_path, this.session.join_url).href;
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.link);
      toast("The link is copied.", { key: "copied", seconds: 4 });
    } catch {
      toast(`Copying is not allowed here. The link is ${this.link}`, { key: "copied" });
    }
  }
}
