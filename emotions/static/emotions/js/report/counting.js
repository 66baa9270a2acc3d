// Minutes that no worker has counted: begins the counting, shows how far it is, and puts the whole tables in place.

import { fetched } from "../asking.js";

const EVERY_MS = 1000;
const NEXT = "Try again in a minute."; // Nothing is done twice: who asks again joins the counting that there is.
const NO_TABLES = "The minutes are counted, but the tables did not come. Look at your connection, then try again.";

/** `notice`: the page's element that says what is missing, or null. */
export async function countMissing(notice) {
  if (!notice) return;
  const form = notice.querySelector("form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    count(notice, form);
  });
  await count(notice, form);
}

async function count(notice, form) {
  form.hidden = true;
  try {
    let state = await ask(notice, { method: "POST", body: new FormData(form) });
    while (state.counting) {
      show(notice, state);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      state = await ask(notice);
    }
    if (state.missing) throw new Error(`${minutes(state.missing)} could not be counted. ${NEXT}`);
    await fill(notice);
  } catch (error) {
    say(notice, error.message);
    form.hidden = false;
  }
}

const ask = (notice, asked = {}) => fetched(notice.dataset.address, { next: NEXT, ...asked });

function show(notice, { done, total }) {
  const bar = part(notice, "bar");
  bar.hidden = false;
  bar.max = total;
  bar.value = done;
  part(notice, "words").textContent = `Counting the stored readings: ${done} of ${minutes(total)}.`;
}

/** The tables as they stand now, without loading the page again. */
async function fill(notice) {
  const fresh = new DOMParser().parseFromString(await thisPage(), "text/html").getElementById("tables");
  if (!fresh) throw new Error(NO_TABLES);
  document.getElementById("tables").replaceWith(document.adoptNode(fresh));
  say(notice, "Every stored reading is counted now.");
  part(notice, "bar").hidden = true;
}

/** As the server makes it now; "" where it does not come. */
function thisPage() {
  return fetch(location.href).then((answer) => (answer.ok ? answer.text() : "")).catch(() => "");
}

function say(notice, words) {
  part(notice, "words").textContent = words;
  part(notice, "said").textContent = words;
}

const minutes = (count) => (count === 1 ? "1 minute" : `${count} minutes`);
const part = (notice, name) => notice.querySelector(`[data-part=${name}]`);
