// Memory over connections: a line per server, and its slope as text at the end of the line.
import * as Plot from "@observablehq/plot";
import {chart, count, dot, endNames, isNarrow, roles, ticksOf} from "./look.js";

function roleOf(server, comparisons) {
  for (const pair of comparisons) {
    if (pair.floor === server) return "floor";
    if (pair.contender === server) return "contender";
  }
  return "base";
}

const mib = (sample) => sample.pss_kib / 1024;

// The slope is left out where there is no room: on a narrow page, or if a line ends within the
// frame.
function endsOf(rows, most, width) {
  const isShort = (row) => row.kib_per_connection === null || isNarrow(width) || (width < 1060 && row.samples.at(-1).connections < most);
  return rows.map((row) => ({
    role: row.role,
    x: row.samples.at(-1).connections,
    y: mib(row.samples.at(-1)),
    name: isShort(row) ? row.server : `${row.server}  ${row.kib_per_connection.toFixed(1)} KiB per connection`,
  }));
}

function memory(rows, width) {
  const narrow = isNarrow(width);
  const inner = 260;
  const domain = [0, Math.max(...rows.flatMap((row) => row.samples.map(mib))) * 1.05];
  const most = Math.max(...rows.flatMap((row) => row.samples.map((sample) => sample.connections)));
  const ends = endsOf(rows, most, width);
  const [marginLeft, marginRight] = [44, narrow ? 132 : 328];
  const pixels = (end) => ((width - marginLeft - marginRight) * (most - end.x)) / most;
  const names = {domain, inner, fontSize: narrow ? 11 : 13, room: (end) => pixels(end) || marginRight};
  return chart({
    width,
    height: inner + 66,
    marginLeft,
    marginRight,
    marginTop: 24,
    marginBottom: 42,
    x: {label: "connections", labelAnchor: "center", labelArrow: "none", tickSize: 4, domain: [0, most], ticks: ticksOf([0, most], narrow ? 3 : 6), tickFormat: count},
    y: {label: "MiB", labelArrow: "none", domain, grid: true, tickSize: 0, ticks: ticksOf(domain, 5)},
    ariaLabel: "Memory over open connections",
    marks: [
      ...rows.flatMap((row) => [
        Plot.lineY(row.samples, {x: "connections", y: mib, stroke: roles[row.role].color, strokeWidth: 2}),
        dot(row.samples, row.role, {x: "connections", y: mib, className: "memory-mark", title: (sample) => `${row.server}: ${count(sample.pss_kib)} KiB with ${count(sample.connections)} connections`}),
      ]),
      // The name of a server that stops early, as select does, stands where its line stops.
      ...endNames(ends.filter((end) => end.x === most), names),
      ...endNames(ends.filter((end) => end.x < most), {...names, below: 12}),
    ],
  });
}

export function memoryCharts({header, results}) {
  const rows = results.memory.filter((row) => row.samples.length).map((row) => ({
    ...row,
    role: roleOf(row.server, header.comparisons),
    samples: [...row.samples].sort((one, other) => one.connections - other.connections),
  }));
  return rows.length ? [{draw: (width) => memory(rows, width)}] : [];
}
