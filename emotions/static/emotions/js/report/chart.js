// The class mood of a whole session, in the colours of the page; the moment that the address names (#moment-2) is framed.

import { Plot } from "../dashboard/plot.js";

const NOT_LOADED = "The chart did not load; the tables say the same.";

/** Draws the figure of the page (`mood-figure`), where there is one; returns it, if it could be drawn. */
export async function showMood() {
  const data = document.getElementById("mood-figure");
  if (!data) return null;
  const figure = JSON.parse(data.textContent);
  const element = document.getElementById("mood-chart");
  const plot = new Plot(element);
  const draw = () => plot.draw(withChosenMoment(figure)).then(() => true, () => false);
  addEventListener("hashchange", draw);
  if (await draw()) return figure;
  element.replaceWith(Object.assign(document.createElement("p"), { className: "notice", textContent: NOT_LOADED }));
  return null;
}

function withChosenMoment(figure) {
  const chosen = Number(location.hash.match(/^#moment-(\d+)$/)?.[1]) - 1;
  const moments = figure.layout.shapes.filter(({ name }) => name === "moment");
  const framed = (shape) => ({ ...shape, y0: 0, fillcolor: "rgba(0,0,0,0)", line: { ...shape.line, width: 3 } });
  const shapes = figure.layout.shapes.map((shape) => (shape === moments[chosen] ? framed(shape) : shape));
  return { ...figure, layout: { ...figure.layout, shapes } };
}
