// A message at the foot of the page: what happened, and what to do. It stays until it is dismissed or replaced.

function newRegion() {
  const list = document.createElement("div");
  list.className = "toasts";
  list.setAttribute("role", "status");
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
  for (const old of list.children) if (old.dataset.key === key) old.remove();
  const item = document.createElement("div");
  item.className = "toast";
  item.dataset.key = key;
  const text = document.createElement("span");
  text.textContent = words;
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "Dismiss";
  close.addEventListener("click", () => item.remove());
  item.append(text, close);
  list.append(item);
  if (seconds) setTimeout(() => item.remove(), seconds * 1000);
  return () => item.remove();
}
