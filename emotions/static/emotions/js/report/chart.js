// The class mood of a whole session, in the colours of the page; the moment that the address names (#moment-2) is framed.

import { Plot } from "../dashboard/plot.js";

/** Draws the figure of the page (`mood-figure`), where there is one; returns it. */
export async function showMood() {
  const data = document.getElementById("mood-figure");
  if (!data) return null;
  const figure = JSON.parse(data.textContent);
  const plot = new Plot(document.getElementById("mood-chart"));
  addEventListener("hashchange", () => plot.draw(withChosenMoment(figure)));
  await plot.draw(withChosenMoment(figure));
  return figure;
}

function withChosenMoment(figure) {
  const chosen = Number(location.hash.match(/^#moment-(\d+)$/)?.[1]) - 1;
  const moments = figure.layout.shapes.filter(({ name }) => name === "moment");
  const framed = (shape) => ({ ...shape, y0: 0, fillcolor: "rgba(0,0,0,0)", line: { ...shape.line, width: 3 } });
  const shapes = figure.layout.shapes.map((shape) => (shape === moments[chosen] ? framed(shape) : shape));
  return { ...figure, layout: { ...figure.layout, shapes } };
}
