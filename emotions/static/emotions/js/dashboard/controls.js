// What the instructor does: forms sent without leaving the page, dialogs, keys.

import { send } from "../asking.js";
import { region, toast } from "../../../classroom/js/toast.js";

/** Whether nothing has the focus: the next Tab would begin at the top of the page. */
export const isFocusLost = () => [null, document.body].includes(document.activeElement);

/** Let `form` be sent in place, with what `extra()` adds; `onDone(answer)` follows. The button rests meanwhile, and has the focus again where
 *  nothing else took it; a refusal is said in a toast. */
export function inPlace(form, onDone, extra = () => ({})) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const buttons = form.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    try {
      onDone(await send(form, extra()));
    } catch (error) {
      refuse(form, error.message);
    } finally {
      for (const button of buttons) button.disabled = false;
      if (isFocusLost()) event.submitter?.focus();
    }
  });
}

/** Says why not: in the dialog that the form stands in while it is open, since nothing shows over that; else at the foot of the page. */
function refuse(form, words) {
  const dialog = form.closest("dialog");
  if (!dialog?.open) return toast(words, { key: "refused", seconds: 12 });
  const line = dialog.querySelector(".refusal") ?? document.createElement("p");
  line.className = "refusal errorlist";
  line.setAttribute("role", "alert");
  line.textContent = words;
  dialog.append(line);
  return undefined;
}

/** Buttons with data-opens="ID" open that dialog; data-closes closes the one that they stand in, as a click beside it does. */
export function dialogs() {
  let pressedBeside = false; // Not where somebody selects a text and lets go outside.
  for (const opener of document.querySelectorAll("[data-opens]")) opener.disabled = false; // It did nothing before.
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) openDialog(opener.dataset.opens);
    const closer = event.target.closest("[data-closes]");
    if (closer) closer.closest("dialog").close();
    if (pressedBeside && isBeside(event)) event.target.close();
  });
  document.addEventListener("pointerdown", (event) => (pressedBeside = isBeside(event)));
}

/** Whether a pointer is on the backdrop. The dialog is the target there, and on its own padding as well. */
function isBeside({ target, clientX, clientY }) {
  if (!(target instanceof HTMLDialogElement)) return false;
  const { left, right, top, bottom } = target.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}

/** Its forms are as the page has them: what was written last time and not sent is no part of this time. */
export function openDialog(id) {
  const dialog = document.getElementById(id);
  for (const form of dialog.querySelectorAll("form")) form.reset();
  dialog.querySelector(".refusal")?.remove();
  dialog.dataset.openedMs = String(performance.now());
  dialog.showModal();
  region(); // There before a message is, so that it is heard.
}

/** Single keys, where nobody is typing and no dialog is open. `actions`: key -> function; `lettersAct()`: whether letters do. */
export function keys(actions, lettersAct) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
    const action = actions[event.key.toLowerCase()];
    if (!action || (event.key.length === 1 && !lettersAct())) return;
    event.preventDefault();
    action();
  });
}
