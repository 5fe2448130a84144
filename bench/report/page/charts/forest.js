// The forest plot: one line per scenario with the ratio of CPU per message and its interval. The
// margin around 1 is shaded.
import * as Plot from "@observablehq/plot";
import {byPair, chart, dot, high, low, measured, ratio, roles, ticksOf, words} from "./look.js";
import {nameWidth, rowLabels, rowLayout} from "./rows.js";

// A narrow screen has room for the verdict's word only.
function said({verdict, ratio: estimate}, narrow) {
  const first = verdict.words.split(/[:;]/)[0];
  const more = verdict.more_blocks && !narrow ? `, about ${verdict.more_blocks} more ${verdict.more_blocks === 1 ? "block" : "blocks"}` : "";
  return `${narrow ? "" : `${ratio(estimate.value)}  `}${words[verdict.what].sign} ${first}${more}`;
}

// The domain of the x axis: all intervals and the margin, with some space around.
function domainOf(rows, margin) {
  const logs = rows.flatMap((row) => [low(row.ratio), high(row.ratio)]).concat(1 / (1 + 1.6 * margin), 1 + 1.6 * margin).map(Math.log);
  const [from, to] = [Math.min(...logs), Math.max(...logs)];
  const air = (to - from) * 0.04;
  return [Math.exp(from - air), Math.exp(to + air)];
}

function forest(rows, {margin: shared, margin_alone: alone}, width) {
  const margin = rows[0].decided_by === "exclusive" ? alone : shared;
  const layout = rowLayout(width, {left: nameWidth(rows), right: 316, height: 34});
  const domain = domainOf(rows, margin);
  const ticks = ticksOf(domain, Math.max(3, (width - layout.marginLeft - layout.marginRight) / 80));
  const places = ticks.some((tick) => (tick * 100) % 1 > 1e-6 && (tick * 100) % 1 < 1 - 1e-6) ? 3 : 2;
  const {comparison} = rows[0];
  const at = {y: "scenario", dy: layout.shift};
  return chart({
    width,
    height: layout.rowHeight * rows.length + 62,
    marginLeft: layout.marginLeft,
    marginRight: layout.marginRight,
    marginTop: 26,
    marginBottom: 36,
    x: {type: "log", domain, axis: null},
    y: {type: "band", domain: rows.map((row) => row.scenario), axis: null, padding: 0},
    ariaLabel: `CPU per message, ${comparison.contender} divided by ${comparison.base}`,
    marks: [
      Plot.rect([1], {x1: 1 / (1 + margin), x2: 1 + margin, fill: "var(--band)"}),
      // Uses `text`, because Plot omits most labels of a logarithmic axis with a tickFormat.
      Plot.axisX(ticks, {text: (x) => x.toFixed(places), label: null, tickSize: 4}),
      Plot.gridX(ticks, {stroke: "var(--rule)", strokeOpacity: 0.6}),
      Plot.ruleX([1], {stroke: "var(--muted)", strokeWidth: 1.5}),
      Plot.ruleY(rows.filter((row) => row.ratio.range), {...at, x1: (row) => row.ratio.range.low, x2: (row) => row.ratio.range.high, stroke: roles.contender.color, strokeWidth: 2.5, marker: "tick"}),
      dot(rows, "contender", {...at, x: (row) => row.ratio.value, r: 5.5, className: "forest-mark"}),
      ...rowLabels(rows, layout, {y: "scenario", name: "scenario", says: (row) => said(row, layout.narrow), color: (row) => words[row.verdict.what].color}),
      Plot.text(["← uses less"], {frameAnchor: "top-left", dy: -18, fill: "var(--muted)"}),
      Plot.text(["uses more →"], {frameAnchor: "top-right", dy: -18, fill: "var(--muted)"}),
    ],
  });
}

export function forestCharts({results}) {
  return byPair(results.costs.filter((row) => measured(row.ratio))).map(([title, rows]) => ({
    title,
    note: `CPU per message, ${rows[0].comparison.contender} ÷ ${rows[0].comparison.base}`,
    draw: (width) => forest(rows, results, width),
  }));
}
