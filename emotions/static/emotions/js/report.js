// The report's chart: a figure that the server made, in the colours of the page; and once more for paper.

import { Plot } from "./dashboard/plot.js";
import { closesMenus } from "./report/menu.js";
import { showMood } from "./report/chart.js";
import { countMissing } from "./report/counting.js";

async function show() {
  const figure = await showMood();
  if (figure) await new Plot(document.getElementById("print-chart"), { themed: false }).draw(figure);
}

show();
closesMenus();
countMissing(document.getElementById("counting"));
