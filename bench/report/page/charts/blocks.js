// All blocks in the order in which they were measured: first CPU per message, which varies with the
// machine, then the ratios.
import * as Plot from "@observablehq/plot";
import {byPair, chart, count, dot, endNames, high, interval, isNarrow, loadWords, logTicksOf, low, pairTitle, ratio, roles} from "./look.js";

const frame = {marginLeft: 52, marginRight: 12, marginTop: 22, marginBottom: 40};
const rounds = (blocks) => ({domain: [Math.min(...blocks.map((block) => block.round)) + 0.5, Math.max(...blocks.map((block) => block.round)) + 1.5], label: "round", labelAnchor: "center", labelArrow: "none", tickSize: 4, tickFormat: (x) => (Number.isInteger(x) ? count(x) : ""), interval: 1});

function levels({blocks, comparison}, width) {
  const lines = [["contender", "contender_ns"], ["base", "base_ns"], ["floor", "floor_ns"]].filter(([, key]) => blocks.every((block) => block[key] !== null));
  const x = (block) => block.round + 1;
  const values = lines.flatMap(([, key]) => blocks.map((block) => block[key]));
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const air = (highest - lowest) * 0.08 || 1;
  const domain = [lowest - air, highest + air];
  const inner = 190;
  const last = blocks.at(-1);
  const ends = lines.map(([role, key]) => ({role, x: last.round + 1, y: last[key], name: comparison[role]}));
  return chart({
    ...frame,
    width,
    height: inner + frame.marginTop + frame.marginBottom,
    marginRight: isNarrow(width) ? frame.marginRight : 150,
    x: rounds(blocks),
    y: {label: "ns per message", labelArrow: "none", grid: true, tickSize: 0, tickFormat: count, ticks: 5, domain},
    ariaLabel: "CPU per message of every server in every block",
    marks: [...lines.flatMap(([role, key]) => [
      Plot.lineY(blocks, {x, y: key, stroke: roles[role].color, strokeWidth: 1.5}),
      dot(blocks, role, {x, y: key, title: (block) => `${comparison[role]}, round ${block.round + 1}: ${count(block[key])} ns`}),
    ]), ...(isNarrow(width) ? [] : endNames(ends, {domain, inner}))],
  });
}

function ratios({blocks, ratio: estimate, verdict}, domain, width) {
  return chart({
    ...frame,
    width,
    height: 130,
    x: {...rounds(blocks), label: null},
    y: {type: "log", label: null, grid: true, tickSize: 0, ticks: logTicksOf(domain), tickFormat: (y) => y.toFixed(2), domain},
    ariaLabel: "Ratio of CPU per message in every block",
    marks: [
      estimate.range ? Plot.rect([estimate.range], {y1: "low", y2: "high", fill: roles.contender.color, fillOpacity: 0.16}) : null,
      Plot.ruleY([1], {stroke: "var(--muted)", strokeWidth: 1.5}),
      Plot.ruleY([estimate.value], {stroke: roles.contender.color}),
      dot(blocks, "contender", {x: (block) => block.round + 1, y: "ratio", r: 4, className: "block-mark", title: (block) => `round ${block.round + 1}: ${ratio(block.ratio)}`}),
    ],
  });
}

function domainOf(row) {
  const all = [1, low(row.ratio), high(row.ratio), ...row.blocks.map((block) => block.ratio)];
  const [lowest, highest] = [Math.min(...all), Math.max(...all)];
  const air = Math.max((highest / lowest) ** 0.1, 1.005);
  return [lowest / air, highest * air];
}

export function blockCharts({results}) {
  const rows = results.costs.filter((row) => row.blocks.length);
  if (!rows.length) return [];
  const leading = rows.find((row) => row.scenario === "c64/512") ?? rows[0];
  const first = {
    title: `${loadWords(leading.scenario)}: ${pairTitle(leading.comparison)}`,
    note: "The machine moves all of them together; that is why only blocks are compared.",
    legend: ["contender", "base", "floor"].filter((role) => leading.comparison[role]).map((role) => [role, leading.comparison[role]]),
    draw: (width) => levels(leading, width),
  };
  return [first, ...byPair(rows).flatMap(([title, ofPair]) => ofPair.map((row) => ({
    title: loadWords(row.scenario),
    note: interval(row.ratio, ratio),
    group: `Ratios: ${title}`,
    small: true,
    draw: (width) => ratios(row, domainOf(row), width),
  })))];
}
