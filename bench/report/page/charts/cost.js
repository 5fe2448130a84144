// CPU per message, in two charts: the bare loop in the same blocks plus what the library adds; then
// the library's part alone, because it is small beside the first.
import * as Plot from "@observablehq/plot";
import {byPair, chart, count, dot, high, interval, low, measured, roles, sides} from "./look.js";
import {nameWidth, rowLabels, rowLayout} from "./rows.js";

function linesOf(rows) {
  return rows.flatMap((row) =>
    sides(row).filter((side) => measured(side.cpu_ns)).map((side) => ({
      ...side,
      scenario: row.scenario,
      key: `${row.scenario} ${side.role}`,
      floor: row.floor_ns?.value ?? 0,
      top: row.floor_ns && side.overhead_ns ? row.floor_ns.value + side.overhead_ns.value : side.cpu_ns.value,
    })));
}

function splitText(line, narrow) {
  if (!line.floor || !line.overhead_ns) return `${interval(line.cpu_ns, count)} ns`;
  return `${narrow ? "" : count(line.floor)} + ${interval(line.overhead_ns, count)} ns`;
}

function frame(lines, layout, width, highest, lowest, ariaLabel) {
  return {
    width,
    height: layout.rowHeight * lines.length + 8 * new Set(lines.map((line) => line.scenario)).size + 42,
    marginLeft: layout.marginLeft,
    marginRight: layout.marginRight,
    marginTop: 4,
    marginBottom: 38,
    x: {domain: [lowest, highest], label: "CPU, ns per message", labelAnchor: "center", labelArrow: "none", ticks: Math.min(7, Math.max(2, (width - layout.marginLeft - layout.marginRight) / 80)), tickSize: 4, tickFormat: count},
    y: {type: "band", domain: ["contender", "base"], axis: null, padding: layout.narrow ? 0 : 0.1},
    fy: {domain: [...new Set(lines.map((line) => line.scenario))], axis: null, padding: 0.12},
    ariaLabel,
  };
}

// Left of the frame stand the names of the loads, then those of the servers.
const layoutOf = (lines, width) => rowLayout(width, {left: Math.max(232, nameWidth(lines) + 7.4 * Math.max(...lines.map((line) => line.server.length))), right: 232, height: 24});

function names(lines, layout, says) {
  const place = {y: "role", fy: "scenario"};
  if (layout.narrow) return rowLabels(lines, layout, {...place, nameWeight: 400, name: (line) => (line.role === "contender" ? `${line.scenario}  ${line.server}` : line.server), says});
  return [
    ...rowLabels(lines, layout, {...place, name: (line) => (line.role === "contender" ? line.scenario : ""), says}),
    Plot.text(lines, {...place, text: "server", textOverflow: "ellipsis", lineWidth: (layout.marginLeft - nameWidth(lines)) / 11, frameAnchor: "left", textAnchor: "end", dx: -10, fill: "var(--ink)", fontSize: 13}),
  ];
}

function split(lines, width) {
  const layout = layoutOf(lines, width);
  const highest = Math.max(...lines.map((line) => line.floor + (line.overhead_ns ? high(line.overhead_ns) : 0)), ...lines.map((line) => line.top));
  const inset = layout.narrow ? {insetTop: 24, insetBottom: 8} : {insetTop: 3, insetBottom: 3};
  const place = {y: "role", fy: "scenario"};
  const withRange = lines.filter((line) => line.floor && line.overhead_ns?.range);
  return chart({
    ...frame(lines, layout, width, highest, 0, "CPU per message: kernel floor and library"),
    marks: [
      Plot.gridX({stroke: "var(--rule)", strokeOpacity: 0.6}),
      Plot.barX(lines, {...place, ...inset, x1: 0, x2: "floor", fill: "var(--floor-bar)", className: "floor-bar"}),
      Plot.barX(lines, {...place, ...inset, x1: "floor", x2: "top", fill: (line) => roles[line.role].color}),
      Plot.ruleY(withRange, {...place, dy: layout.shift - 1, x1: (line) => line.floor + line.overhead_ns.range.low, x2: (line) => line.floor + line.overhead_ns.range.high, stroke: "var(--ink)", marker: "tick"}),
      ...names(lines, layout, (line) => splitText(line, layout.narrow)),
    ],
  });
}

function overhead(lines, width) {
  const layout = layoutOf(lines, width);
  const highest = Math.max(...lines.map((line) => high(line.overhead_ns)), 1);
  const lowest = Math.min(...lines.map((line) => low(line.overhead_ns)), 0);
  const place = {y: "role", fy: "scenario", dy: layout.shift};
  const ofRole = (role) => lines.filter((line) => line.role === role);
  return chart({
    ...frame(lines, layout, width, highest, lowest, "Library overhead, nanoseconds per message"),
    marks: [
      Plot.gridX({stroke: "var(--rule)", strokeOpacity: 0.6}),
      Plot.ruleX([0], {stroke: "var(--muted)", strokeWidth: 1.5}),
      Plot.ruleY(lines.filter((line) => line.overhead_ns.range), {...place, x1: (line) => line.overhead_ns.range.low, x2: (line) => line.overhead_ns.range.high, stroke: (line) => roles[line.role].color, strokeWidth: 2.5, marker: "tick"}),
      ...["contender", "base"].map((role) => dot(ofRole(role), role, {...place, x: (line) => line.overhead_ns.value, className: "overhead-mark"})),
      ...names(lines, layout, (line) => `${interval(line.overhead_ns, count)} ns`),
    ],
  });
}

export function costCharts({results}) {
  return byPair(results.costs).flatMap(([title, rows]) => {
    const lines = linesOf(rows);
    const above = lines.filter((line) => measured(line.overhead_ns));
    const charts = [];
    if (lines.length) charts.push({
      title,
      legend: [["floor", "kernel floor: the bare loop in the same blocks"], ["contender", `added by ${rows[0].comparison.contender}`], ["base", `added by ${rows[0].comparison.base}`]],
      draw: (width) => split(lines, width),
    });
    if (above.length) charts.push({
      title: "The library's part alone",
      note: "Nanoseconds per message above the bare loop, with 95 % intervals.",
      draw: (width) => overhead(above, width),
    });
    return charts;
  });
}
