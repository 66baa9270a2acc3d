// What the instructor does: forms sent without leaving the page, dialogs, keys.

import { region, toast } from "../../../classroom/js/toast.js";

const LONGEST_WAIT_MS = 15_000;

/** Whether nothing has the focus: the next Tab would begin at the top of the page. */
export const isFocusLost = () => [null, document.body].includes(document.activeElement);

/** Sends a form of the page; resolves to the JSON answer. Throws an Error with words for the person. */
export async function send(form, extra = {}) {
  const body = new FormData(form);
  for (const [name, value] of Object.entries(extra)) body.set(name, value);
  const headers = { "X-CSRFToken": body.get("csrfmiddlewaretoken") };
  return fetched(form.action, { method: "POST", headers, body });
}

/** The JSON answer of an address of ours. Throws an Error with words for the person: without an answer nobody knows what was done. */
export async function fetched(url, asked = {}) {
  const answer = await answered(url, asked);
  const next = asked.method === "POST" ? "Look whether it was done; if not, try again." : "Try again.";
  if (!answer) throw new Error(`No answer came. ${next}`);
  if (!answer.ok) throw new Error(answer.json.error ?? answer.json.message ?? refusal(answer.status, next));
  return answer.json;
}

/** `{ok, status, json}`, or null where nothing that can be read comes in time. */
async function answered(url, { headers = {}, ...asked }) {
  const accepting = { Accept: "application/json", ...headers };
  const signal = AbortSignal.timeout?.(LONGEST_WAIT_MS); // An older browser waits as long as it likes.
  try {
    const answer = await fetch(url, { ...asked, headers: accepting, credentials: "same-origin", signal });
    const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
    return { ok: answer.ok, status: answer.status, json: isJson ? await answer.json() : {} };
  } catch {
    return null;
  }
}

function refusal(status, next) {
  if (status === 403) return "You are signed out, or may not do this. Sign in again and reload the page.";
  if (status === 404 || status === 410) return "It is not there any more: changed on another device, or the session is over.";
  return `That did not work. ${next}`;
}

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
