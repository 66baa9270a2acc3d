// A message at the foot of the page: what happened, and what to do. It stays until it is dismissed or replaced.

let before = null; // What had the focus before a message took it.

function newRegion() {
  const list = document.createElement("div");
  list.className = "toasts";
  list.setAttribute("role", "status");
  list.addEventListener("focusin", ({ relatedTarget }) => {
    if (!list.contains(relatedTarget)) before = relatedTarget;
  });
  return list;
}

/** Where messages stand: in the dialog that is open, since nothing behind it is heard or pressed. */
export function region() {
  const list = document.querySelector(".toasts") ?? newRegion();
  const dialog = document.querySelector("dialog[open]");
  const home = dialog ?? document.body;
  if (list.parentElement !== home) {
    home.append(list);
    dialog?.addEventListener("close", region, { once: true });
  }
  return list;
}

/** Show `words`; a message with the same `key` takes the place of the one before. Returns a function that takes it away. */
export function toast(words, { key = words, seconds = 0 } = {}) {
  const list = region();
  const replaced = [...list.children].filter((old) => old.dataset.key === key);
  const item = document.createElement("div");
  item.className = "toast";
  item.dataset.key = key;
  const text = document.createElement("span");
  text.textContent = words;
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "Dismiss";
  close.addEventListener("click", () => takeAway(item));
  item.append(text, close);
  list.append(item);
  replaced.forEach(takeAway); // Now there is a new one that may take the focus.
  if (seconds) setTimeout(() => takeAway(item), seconds * 1000);
  return () => takeAway(item);
}

/** The focus goes from a message that goes to the next one; else back to where it was, or to what the page is about. */
function takeAway(item) {
  const held = item.contains(document.activeElement);
  const dialog = item.closest("dialog");
  item.remove();
  if (!held) return;
  const others = [document.querySelector(".toasts button"), before, dialog?.querySelector("button"), document.getElementById("main")];
  others.find((element) => {
    element?.focus({ preventScroll: true });
    return element && element === document.activeElement;
  });
}

region(); // There before the first message is, so that it is heard.
