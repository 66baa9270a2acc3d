// The report's chart: a figure that the server made, in the colours of the page.

import { Plot } from "./dashboard/plot.js";

const element = document.getElementById("mood-chart");
if (element) {
  const plot = new Plot(element);
  plot.draw(JSON.parse(document.getElementById("mood-figure").textContent));
  // A printed page is narrower than the screen, and always light.
  addEventListener("beforeprint", () => window.Plotly?.Plots.resize(element));
  addEventListener("afterprint", () => window.Plotly?.Plots.resize(element));
}
for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
