// The report's chart: a figure that the server made, in the colours of the page; and once more for paper.

import { Plot } from "./dashboard/plot.js";
import { countMissing } from "./report/counting.js";

async function show(figure) {
  const plot = new Plot(document.getElementById("mood-chart"));
  await plot.draw(withChosenMoment(figure));
  addEventListener("hashchange", () => plot.draw(withChosenMoment(figure)));
  await new Plot(document.getElementById("print-chart"), { themed: false }).draw(figure);
}

/** The figure with the moment that the address names (#moment-2) framed down to the axis. */
function withChosenMoment(figure) {
  const chosen = Number(location.hash.match(/^#moment-(\d+)$/)?.[1]) - 1;
  const moments = figure.layout.shapes.filter(({ name }) => name === "moment");
  const framed = (shape) => ({ ...shape, y0: 0, fillcolor: "rgba(0,0,0,0)", line: { ...shape.line, width: 3 } });
  const shapes = figure.layout.shapes.map((shape) => (shape === moments[chosen] ? framed(shape) : shape));
  return { ...figure, layout: { ...figure.layout, shapes } };
}

const data = document.getElementById("mood-figure");
if (data) show(JSON.parse(data.textContent));
for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
countMissing(document.getElementById("counting"));
