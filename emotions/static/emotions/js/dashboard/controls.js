// What the instructor does: forms sent without leaving the page, dialogs, keys.

import { region, toast } from "../../../classroom/js/toast.js";

/** Sends a form of the page; resolves to the JSON answer. Throws an Error with words for the person. */
export async function send(form, extra = {}) {
  const body = new FormData(form);
  for (const [name, value] of Object.entries(extra)) body.set(name, value);
  const headers = { "X-CSRFToken": body.get("csrfmiddlewaretoken") };
  return fetched(form.action, { method: "POST", headers, body });
}

/** The JSON answer of an address of ours. Throws an Error with words for the person. */
export async function fetched(url, { headers = {}, ...asked } = {}) {
  const wanted = { ...asked, headers: { Accept: "application/json", ...headers }, credentials: "same-origin" };
  const answer = await fetch(url, wanted).catch(() => null);
  if (!answer) throw new Error("The server can't be reached. Nothing was changed; try again.");
  const json = answer.headers.get("Content-Type")?.startsWith("application/json") ? await answer.json() : {};
  if (!answer.ok) throw new Error(json.error ?? json.message ?? refusal(answer.status));
  return json;
}

function refusal(status) {
  if (status === 403) return "You are signed out, or may not do this. Sign in again and reload the page.";
  if (status === 404 || status === 410) return "It is not there any more: changed on another device, or the session is over.";
  return "That did not work. Nothing was changed; try again.";
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
      if ([null, document.body].includes(document.activeElement)) event.submitter?.focus();
    }
  });
}

/** Says why not: in the dialog that the form stands in, since nothing shows over that; else at the foot of the page. */
function refuse(form, words) {
  const dialog = form.closest("dialog");
  if (!dialog) return toast(words, { key: "refused", seconds: 12 });
  const line = dialog.querySelector(".refusal") ?? document.createElement("p");
  line.className = "refusal errorlist";
  line.setAttribute("role", "alert");
  line.textContent = words;
  dialog.append(line);
  return undefined;
}

/** Buttons with data-opens="ID" open that dialog; data-closes closes the one that they stand in. */
export function dialogs() {
  for (const opener of document.querySelectorAll("[data-opens]")) opener.disabled = false; // It did nothing before.
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) openDialog(opener.dataset.opens);
    const closer = event.target.closest("[data-closes]");
    if (closer) closer.closest("dialog").close();
    if (event.target instanceof HTMLDialogElement) event.target.close(); // A click on the backdrop.
  });
}

export function openDialog(id) {
  const dialog = document.getElementById(id);
  dialog.querySelector(".refusal")?.remove();
  dialog.dataset.openedMs = String(performance.now());
  dialog.showModal();
  region(); // There before a message is, so that it is heard.
}

/** Single keys, where nobody is typing and no dialog is open. `actions`: key -> function. */
export function keys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
    const action = actions[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
