// What a page asks its server, and the words for an answer that does not come.

const LONGEST_WAIT_MS = 15_000;

/** Sends a form of the page; resolves to the JSON answer. Throws an Error with words for the person. */
export async function send(form, extra = {}) {
  const body = new FormData(form);
  for (const [name, value] of Object.entries(extra)) body.set(name, value);
  const headers = { "X-CSRFToken": body.get("csrfmiddlewaretoken") };
  return fetched(form.action, { method: "POST", headers, body });
}

/** The JSON answer of an address of ours. Throws an Error with words for the person: without an answer nobody knows what was done.
 *  `next`: what the person is to do then, where that is something else. */
export async function fetched(url, { next = null, ...asked } = {}) {
  const answer = await answered(url, asked);
  next ??= asked.method === "POST" ? "Look whether it was done; if not, try again." : "Try again.";
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
    if (answer.ok && !isJson) return null; // Of something between the server and this page.
    return { ok: answer.ok, status: answer.status, json: isJson ? await answer.json() : {} };
  } catch {
    return null;
  }
}

function refusal(status, next) {
  if (status === 403) return "You are signed out, or may not do this. Sign in again and reload the page.";
  if (status === 404 || status === 410) return "It is not there any more: it was changed or deleted elsewhere, or the class has ended.";
  return `That did not work. ${next}`;
}
