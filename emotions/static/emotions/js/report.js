// The report's chart: a figure that the server made, in the colours of the page; and once more for paper.

import { Plot } from "./dashboard/plot.js";
import { countMissing } from "./report/counting.js";

async function show(figure) {
  await new Plot(document.getElementById("mood-chart")).draw(figure);
  await new Plot(document.getElementById("print-chart"), { themed: false }).draw(figure);
}

const data = document.getElementById("mood-figure");
if (data) show(JSON.parse(data.textContent));
for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
countMissing(document.getElementById("counting"));
