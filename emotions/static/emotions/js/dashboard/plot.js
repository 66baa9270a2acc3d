// Plotly, loaded only when a chart is there to be drawn (the words come first), and coloured by the page's own CSS variables.

const CONFIG = { displayModeBar: false, responsive: true, showTips: false, locale: "en" };
const LABEL_ROOM_PX = 7; // A letter of a marker's label, at most. These three go with the size of what is written.
const AGAIN_MS = 30_000; // What did not load is asked for again, but not with every figure.
const GAP_LABEL_PX = 84;
const NARROW_PX = 480;
const colours = new Map(); // Of the theme that is on: to ask the page for one makes it compute its style at once.
let loading = null;

document.addEventListener("themechange", () => colours.clear());

function plotly(source) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => {
      script.remove();
      setTimeout(() => (loading = null), AGAIN_MS);
      reject(new Error("Plotly did not load"));
    });
    document.head.append(script);
  });
  return loading;
}

/**
 * Draws figures into `element` (its data-plotly names the bundle). The last figure is drawn again when the theme changes;
 * not `themed`, it keeps the light colours that it came with.
 */
export class Plot {
  constructor(element, { themed = true } = {}) {
    this.element = element;
    this.themed = themed;
    this.figure = null;
    this.scale = 1;
    if (themed) document.addEventListener("themechange", () => this.again());
  }

  /** Whoever drew the figure was told where it can't be. */
  again() {
    this.figure && this.draw(this.figure).catch(() => {});
  }

  /** What is written is `scale` times as large as the figure has it, from now on. */
  enlarge(scale) {
    this.scale = scale;
    this.again();
  }

  async draw(figure) {
    this.figure = figure;
    const library = await plotly(this.element.dataset.plotly);
    if (figure !== this.figure) return; // A newer one came while the library was loading.
    const own = enlarged(this.themed ? themed(figure) : structuredClone(figure), this.scale);
    const { data, layout } = fitted(own, this.element.clientWidth / this.scale);
    await library.react(this.element, data, layout, { ...CONFIG, responsive: this.themed });
    this.element.dataset.drawn = String(Number(this.element.dataset.drawn ?? 0) + 1);
  }
}

/** The figure with the colours of the theme that is on; the figure itself is left as it is. */
function themed(figure) {
  const data = figure.data.map((trace) => themedTrace(trace));
  const layout = structuredClone(figure.layout);
  layout.font.color = colour("muted");
  layout.hoverlabel = { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("ink") } };
  for (const shape of layout.shapes) {
    if (shape.name === "marker") shape.line.color = colour("ink");
    if (shape.name === "gap") shape.fillcolor = colour("line");
  }
  for (const annotation of layout.annotations) annotation.font.color = colour("muted");
  return { data, layout };
}

function colour(name) {
  if (!colours.has(name)) colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return colours.get(name);
}

/** The same figure with its writing, and the room for it, `scale` times as large. */
function enlarged({ data, layout }, scale) {
  for (const written of [layout, ...layout.annotations]) written.font = { ...written.font, size: written.font.size * scale }; // One font is many's.
  layout.margin.t *= scale;
  layout.margin.b *= scale;
  return { data, layout };
}

/** The same figure with as much writing on it as its width has room for: `width` in pixels of writing as large as the figure has it. */
function fitted({ data, layout }, width) {
  if (width < NARROW_PX) layout.xaxis.dtick *= 2;
  layout.annotations = [...gapLabels(layout, width), ...markerLabels(layout, width)];
  return { data, layout };
}

function themedTrace(trace) {
  if (!trace.stackgroup) return trace;
  return { ...trace, fillcolor: colour(trace.meta), line: { ...trace.line, color: colour("card") } };
}

/** Marker labels that would lie over the next one are left out; their lines stay, and the text beside the chart names them all. */
function markerLabels(layout, width) {
  const [start, end] = layout.xaxis.range;
  const pixel = (at) => ((at - start) / (end - start)) * width;
  let free = Infinity;
  const kept = [];
  const labels = layout.annotations.filter(({ name }) => name === "marker");
  for (const annotation of labels.sort((a, b) => b.x - a.x)) {
    const at = pixel(annotation.x);
    const room = annotation.text.length * LABEL_ROOM_PX;
    const fits = at >= 0 && at + room <= Math.min(free, width + LABEL_ROOM_PX);
    if (!fits && at + room > width && at - room >= 0 && at <= free) kept.push({ ...annotation, xanchor: "right" });
    else if (fits) kept.push(annotation);
    else continue;
    free = kept.at(-1).xanchor === "right" ? at - room : at;
  }
  return kept;
}

/** What an open place means, where there is room to say it. */
function gapLabels(layout, width) {
  const [start, end] = layout.xaxis.range;
  const gaps = layout.shapes.filter(({ name }) => name === "gap");
  const wide = gaps.filter(({ x0, x1 }) => ((x1 - x0) / (end - start)) * width > GAP_LABEL_PX);
  return layout.annotations.filter(({ name, x }) => name === "gap" && wide.some(({ x0, x1 }) => x0 < x && x < x1));
}
