// The code field: what is typed is shown as it stands on the projector, KMT-4QXB.

const DASH_AFTER = 3;
const field = document.querySelector("#id_code");

function spaced(text) {
  const code = text.toUpperCase().replace(/[^A-Z0-9]/g, "");
  return code.length > DASH_AFTER ? `${code.slice(0, DASH_AFTER)}-${code.slice(DASH_AFTER)}` : code;
}

function reformat() {
  const atEnd = field.selectionStart === field.value.length;
  const shown = spaced(field.value);
  if (shown === field.value) return;
  const caret = field.selectionStart;
  field.value = shown;
  if (!atEnd) field.setSelectionRange(caret, caret); // Correcting a letter in the middle must not throw the caret away.
}

field.addEventListener("input", (event) => {
  if (!event.isComposing) reformat();
});
reformat();
