// A session's page in Django admin: the report's chart, drawn again when the administration's own theme changes.

import { showMood } from "./report/chart.js";

const changed = () => document.dispatchEvent(new CustomEvent("themechange"));
new MutationObserver(changed).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
showMood();
