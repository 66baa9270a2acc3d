// A page that was open while the server was updated may not understand it any more. It says at each connection which
// messages it knows; where they have changed, the server closes with OUTDATED, and the page is loaded anew.

const SOON_MS = 3_000; // Time to read why.
const YOUNGEST_MS = 60_000; // While old and new servers run side by side, a page must not whirl.

/** The address of a socket. */
export function socketUrl(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("format", document.querySelector("meta[name=page-format]").content);
  return url;
}

export function loadAnew() {
  setTimeout(() => location.reload(), Math.max(SOON_MS, YOUNGEST_MS - performance.now()));
}
