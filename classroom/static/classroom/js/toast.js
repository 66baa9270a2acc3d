// A message at the foot of the page: what happened, and what to do. It stays until it is dismissed or replaced.

function region() {
  let list = document.querySelector(".toasts");
  if (!list) {
    list = document.createElement("div");
    list.className = "toasts";
    list.setAttribute("role", "status");
    document.body.append(list);
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
