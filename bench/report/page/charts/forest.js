// The forest plot: the ratios of CPU per message, each with its interval. The margin around 1 is
// shaded. There is a plot for each pair of servers, with a line per load; or, where all servers were
// compared with one of them, a plot for each load, with a line per server.
//
// Each plot has a scale of its own, so that small differences are not pressed flat by large ones;
// but 1.00 is at the same place in all of them.
import * as Plot from "@observablehq/plot";
import {chart, commonPlace, dot, high, isInjected, loadWords, low, measured, onTwoLines, pairTitle, roles, text, ticksOf, words} from "./look.js";
import {nameWidth, rowLabels, rowLayout} from "./rows.js";

// A narrow screen has no room for more than the first words of a verdict.
function said({verdict}) {
  const first = verdict.words.split(/[:;]| among/)[0];
  return `${words[verdict.what].sign} ${first}`;
}

export const marginOf = (kind, {margin, margin_alone: alone}) => (kind === "exclusive" ? alone : margin);

// How far a plot has to reach to the left and to the right of 1, in logarithms.
function reachOf(rows, results) {
  const air = Math.log(1 + 1.6 * marginOf(rows[0].decided_by, results));
  return {left: Math.max(air, ...rows.map((row) => -Math.log(low(row.ratio)))), right: Math.max(air, ...rows.map((row) => Math.log(high(row.ratio))))};
}

const ratiosOf = ({costs}) => costs.filter((row) => measured(row.ratio));

const byLoad = {
  y: ({comparison}) => comparison.contender,
  name: ({comparison}) => comparison.contender,
  title: ({scenario, comparison: {base}}) => `${loadWords(scenario)}, against ${base}`,
  label: ({scenario, comparison: {base}}) => `CPU per message divided by that of ${base}, ${scenario}`,
};
const byServers = {
  y: ({scenario}) => scenario,
  name: ({scenario}) => loadWords(scenario),
  title: ({comparison}) => pairTitle(comparison),
  label: ({comparison: {base, contender}}) => `CPU per message, ${contender} divided by ${base}`,
};
const orderOf = ({matrix}) => (matrix ? byLoad : byServers);

// The rows of each plot, under its title.
function plotsOf(rows, results) {
  const {title} = orderOf(results);
  const plots = new Map();
  for (const row of rows) plots.set(title(row), [...(plots.get(title(row)) ?? []), row]);
  return [...plots];
}

// Where 1.00 stands in every plot of the run, as a part of the plot's width.
function placeOfOne(results) {
  const reaches = plotsOf(ratiosOf(results).filter((row) => !isInjected(row)), results).map(([, rows]) => reachOf(rows, results));
  return reaches.length ? Math.min(0.72, Math.max(0.28, commonPlace(reaches))) : 0.5;
}

export function domainAround({left, right}, results) {
  const one = placeOfOne(results);
  const scale = 1.06 * Math.max(left / one, right / (1 - one));
  return [Math.exp(-scale * one), Math.exp(scale * (1 - one))];
}

export const forestLayout = (results, width) => rowLayout(width, {left: nameWidth(ratiosOf(results).map(orderOf(results).name)), right: 230, height: 34, narrowHeight: 68});

// The line of 1, the shaded margin and the ticks.
export function groundOf(domain, margin, inner) {
  const ticks = ticksOf(domain, Math.max(3, inner / 70));
  const places = ticks.some((tick) => Math.abs(tick * 100 - Math.round(tick * 100)) > 1e-6) ? 3 : 2;
  return [
    Plot.rect([1], {x1: 1 / (1 + margin), x2: 1 + margin, fill: "var(--band)"}),
    // Uses `text`, because Plot omits most labels of a logarithmic axis with a tickFormat.
    Plot.axisX(ticks, {text: (x) => x.toFixed(places), label: null, tickSize: 4}),
    Plot.gridX(ticks, {stroke: "var(--rule)", strokeOpacity: 0.6}),
    Plot.ruleX([1], {stroke: "var(--muted)", strokeWidth: 1.5, className: "one"}),
  ];
}

function forest(rows, results, width) {
  const layout = forestLayout(results, width);
  const domain = domainAround(reachOf(rows, results), results);
  const {y, name, label} = orderOf(results);
  const at = {y, dy: layout.shift};
  return chart({
    width,
    height: layout.rowHeight * rows.length + 52,
    marginLeft: layout.marginLeft,
    marginRight: layout.marginRight,
    marginTop: 22,
    marginBottom: 30,
    x: {type: "log", domain, axis: null},
    y: {type: "band", domain: rows.map(y), axis: null, padding: 0},
    ariaLabel: label(rows[0]),
    marks: [
      ...groundOf(domain, marginOf(rows[0].decided_by, results), width - layout.marginLeft - layout.marginRight),
      Plot.ruleY(rows.filter((row) => row.ratio.range), {...at, x1: (row) => row.ratio.range.low, x2: (row) => row.ratio.range.high, stroke: roles.contender.color, strokeWidth: 2, marker: "tick"}),
      dot(rows, "contender", {...at, x: (row) => row.ratio.value, className: "forest-mark"}),
      ...rowLabels(rows, layout, {y, name: (row) => onTwoLines(name(row), layout.narrow ? 46 : 31), says: said, color: (row) => words[row.verdict.what].color}),
      text(["← takes less"], {frameAnchor: "top-left", dy: -18, fontSize: 12, fill: "var(--muted)"}),
      text(["takes more →"], {frameAnchor: "top-right", dy: -18, fontSize: 12, fill: "var(--muted)"}),
    ],
  });
}

const chartsOf = (rows, results) => plotsOf(rows, results).map(([title, ofPair]) => ({title, draw: (width) => forest(ofPair, results, width)}));

// The rows that were made to come out in a known way stand with the controls.
export const forestCharts = ({results}) => chartsOf(ratiosOf(results).filter((row) => !isInjected(row)), results);
export const injectedCharts = ({results}) => chartsOf(ratiosOf(results).filter(isInjected), results);
