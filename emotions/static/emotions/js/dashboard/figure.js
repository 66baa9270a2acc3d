// Points to a Plotly figure: the same as `mood_figure` of emotions/reports/charts.py, from the same style (a browser test compares them).

/** The points between two times as at most `most` rows of equal length (whole seconds), averaged. */
export function binned(points, startMs, endMs, most) {
  const width = Math.max(1, Math.ceil((endMs - startMs) / 1000 / Math.max(1, most - 1)));
  const bins = new Map();
  for (const point of points) {
    if (point.at_ms < startMs || point.at_ms > endMs) continue;
    const key = Math.floor(point.at_ms / 1000 / width) * width;
    const bin = bins.get(key);
    if (bin) bin.push(point);
    else bins.set(key, [point]);
  }
  return [...bins].map(([key, inside]) => meanRow((key + width / 2) * 1000, inside));
}

function meanRow(atMs, points) {
  const known = points.filter((point) => point.shares);
  if (!known.length) return { at_ms: atMs, shares: null, low: null, high: null };
  const mean = (field) => known[0][field].map((_, n) => known.reduce((sum, point) => sum + point[field][n], 0) / known.length);
  const shares = mean("shares");
  const total = shares.reduce((sum, share) => sum + share, 0);
  return { at_ms: atMs, shares: shares.map((share) => share / total), low: mean("low"), high: mean("high") };
}

/** The seven shares, stacked over time. Where the mood is not known nothing is drawn: each known stretch is a stack of its own. */
export function moodFigure(style, labels, rows, markers, startMs, endMs, offsetMs) {
  const stretches = knownStretches(style, rows);
  const data = stretches.flatMap((stretch, n) => style.stack.map((label) => trace(style, labels, label, stretch, n, offsetMs)));
  const layout = structuredClone(style.layout);
  layout.xaxis.range = [startMs + offsetMs, endMs + offsetMs];
  layout.xaxis.dtick = tickStep(style, endMs - startMs);
  const gaps = gapsBetween(style, rows, stretches);
  const open = gaps.map(([a, b]) => ({ ...style.gap, x0: a + offsetMs, x1: b + offsetMs }));
  layout.shapes = [...open, ...markers.map((marker) => line(style, marker.at_ms + offsetMs))];
  const over = gaps.map(([a, b]) => ({ ...style.gap_label, x: (a + b) / 2 + offsetMs }));
  layout.annotations = [...over, ...markers.map((marker) => markerLabel(style, marker, offsetMs))];
  return { data, layout };
}

function tickStep(style, lengthMs) {
  const fitting = style.tick_minutes.find((minutes) => lengthMs / (minutes * 60_000) <= style.most_ticks);
  return (fitting ?? style.tick_minutes.at(-1)) * 60_000;
}

function knownStretches(style, rows) {
  const steps = rows.slice(1).map((row, n) => row.at_ms - rows[n].at_ms);
  const limit = Math.max(style.shortest_gap_ms, 2.5 * (steps.length ? Math.min(...steps) : 0));
  const stretches = [];
  for (const row of rows) {
    if (!row.shares) continue;
    const last = stretches.at(-1);
    if (!last || row.at_ms - last.at(-1).at_ms > limit) stretches.push([row]);
    else last.push(row);
  }
  return stretches;
}

function gapsBetween(style, rows, stretches) {
  const gaps = stretches.slice(1).map((stretch, n) => [stretches[n].at(-1).at_ms, stretch[0].at_ms]);
  const last = stretches.at(-1)?.at(-1);
  if (last && rows.at(-1).at_ms - last.at_ms > style.shortest_gap_ms) gaps.push([last.at_ms, rows.at(-1).at_ms]);
  return gaps;
}

function trace(style, labels, label, stretch, number, offsetMs) {
  const index = labels.indexOf(label);
  return {
    ...style.traces[label],
    stackgroup: `stretch ${number}`,
    showlegend: false,
    x: stretch.map((row) => row.at_ms + offsetMs),
    y: stretch.map((row) => rounded(row.shares[index])),
    customdata: stretch.map((row) => [rounded(row.low[index]), rounded(row.high[index])]),
  };
}

const rounded = (value) => Math.floor(value * 10_000 + 0.5) / 10_000;

const line = (style, where) => ({ ...style.marker_line, x0: where, x1: where });

function markerLabel(style, marker, offsetMs) {
  const text = marker.label.length <= style.longest_label ? marker.label : `${marker.label.slice(0, style.longest_label - 1)}…`;
  return { ...style.marker_label, x: marker.at_ms + offsetMs, text: plain(text) };
}

const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
