// Throughput over connections, and latency by percentile. A small chart shows two servers, each
// with a line, a ribbon for the interval and its name at the end of the line.
import * as Plot from "@observablehq/plot";
import {byPair, chart, count, dot, endNames, high, interval, loadWords, logTicksOf, low, measured, roles, scenarioOf, sides, threeDigits, ticksOf} from "./look.js";
import {scaledLines} from "./lines.js";

const saysOf = (point, number) => `${point.server}\n${point.label}: ${interval(point.estimate, number)}${point.limited ? "\nclient-limited" : ""}`;

// The line of a server: its path if it has one, otherwise from point to point.
const pathOf = ({points, path}) => path ?? points.map(({x, estimate}) => ({x, y: estimate.value}));

// The marks of one server. `points`: {x, estimate, limited}. `path`: [{x, y}, ...], a line that
// does not connect the points and has no ribbon. A `dashed` line is the second of the same server;
// it has neither ribbon nor marks.
function curve(line, {number, className}) {
  const {points, role, dashed} = line;
  const {color} = roles[role];
  const shape = {x: "x", y: (point) => point.estimate.value};
  const bounds = {x: "x", y1: (point) => low(point.estimate), y2: (point) => high(point.estimate)};
  const drawn = {x: "x", y: "y", stroke: color};
  if (dashed) return [Plot.lineY(pathOf(line), {...drawn, strokeWidth: 1.5, strokeDasharray: "4 4"})];
  const marks = [];
  if (points.length > 1 && !line.path) marks.push(Plot.areaY(points, {...bounds, fill: color, fillOpacity: 0.18}));
  if (points.length > 1) marks.push(Plot.lineY(pathOf(line), {...drawn, strokeWidth: 2}));
  return [
    ...marks,
    Plot.ruleX(points.filter((point) => point.estimate.range), {...bounds, stroke: color, strokeWidth: 1.5}),
    dot(points.filter((point) => !point.limited), role, {...shape, className}),
    dot(points.filter((point) => point.limited), role, {...shape, className, fill: "var(--paper)", stroke: color, strokeWidth: 2}),
    Plot.tip(points, Plot.pointer({...shape, title: (point) => saysOf(point, number), fill: "var(--paper)", stroke: "var(--rule)"})),
  ];
}

const inner = 140;
const marginTop = 24;
const marginBottom = 42;

export function frame(lines, width, {x, y, ariaLabel, ...shown}) {
  const named = width >= 420;
  // A line may end before the other; the name then stands beside the frame, too, not on that one.
  const last = Math.max(...lines.flatMap(({points}) => points.map((point) => point.x)));
  const ends = lines.filter((line) => line.points.length && !line.dashed).map(({points, role}) => ({role, x: last, y: points.at(-1).estimate.value, name: points.at(-1).server}));
  return chart({
    width,
    height: inner + marginTop + marginBottom,
    marginLeft: 52,
    marginRight: named ? 150 : 14,
    marginTop,
    marginBottom,
    x: {tickSize: 4, labelAnchor: "center", labelArrow: "none", ...x},
    y: {tickSize: 0, grid: true, labelArrow: "none", ...y},
    ariaLabel,
    marks: [
      ...lines.flatMap((line) => curve(line, shown)),
      ...(named ? endNames(ends, {domain: y.domain, log: y.type === "log", inner}) : []),
    ],
  });
}

const linesOf = (rows, pointsOf) => ["contender", "base"].map((role) => ({role, points: rows.flatMap((row) => pointsOf(row, sides(row).find((side) => side.role === role)))}));

// Groups rows of the same message size and depth, to be drawn over connections.
const seriesOf = (rows) => [...rows.reduce((groups, row) => groups.set(kindOf(row), [...(groups.get(kindOf(row)) ?? []), row]), new Map())];

// "512-byte messages", "64-byte messages, d16"
function kindOf({scenario}) {
  const [bytes, ...rest] = scenarioOf(scenario).kind.split("/");
  return [`${bytes.replace("K", " Ki")}-byte messages`, ...rest].join(", ");
}

const connectionsOf = (row) => scenarioOf(row.scenario).connections;

const throughputOf = (row, side) =>
  measured(side.messages_per_second) ? [{x: connectionsOf(row), server: side.server, label: row.scenario, estimate: side.messages_per_second, limited: side.client_limited}] : [];

export const legendOf = ({contender, base}) => [["contender", contender], ["base", base]];

export const thousands = (each) => (Math.abs(each) >= 1000 ? `${Number((each / 1000).toPrecision(5)).toLocaleString("en-US")} k` : count(each));

function seriesChart(kind, title, rows) {
  const lines = linesOf([...rows].sort((one, other) => connectionsOf(one) - connectionsOf(other)), throughputOf);
  const counts = [...new Set(rows.map(connectionsOf))].sort((a, b) => a - b);
  const domain = [0, 1.06 * Math.max(1, ...lines.flatMap(({points}) => points.map(({estimate}) => high(estimate))))];
  return {
    title: kind,
    legend: legendOf(rows[0].comparison),
    group: title,
    small: true,
    draw: (width) => frame(lines, width, {
      number: count,
      className: "throughput-mark",
      ariaLabel: `Throughput over connections, ${kind}, ${title}`,
      x: {type: "log", domain: [counts[0] / 1.3, counts.at(-1) * 1.3], ticks: counts, tickFormat: count, label: "connections"},
      y: {domain, label: "messages/s", ticks: ticksOf(domain, 4), tickFormat: thousands},
    }),
  };
}

const shortest = 4; // loads of a series that show more as a line than one by one

// Loads that belong to no series over connections, each with a scale of its own.
const loneLines = (rows) => rows.flatMap((row) => sides(row).flatMap((side) => throughputOf(row, side).map(({server, estimate, limited}) => ({scenario: row.scenario, group: row, role: side.role, server, estimate, limited, brief: interval(estimate, count), says: `${interval(estimate, count)}${limited ? ", client-limited" : ""}`}))));

export function throughputCharts({results}) {
  const pairs = byPair(results.loads).map(([title, rows]) => {
    const series = seriesOf(rows).filter(([, ofKind]) => ofKind.length >= shortest);
    return {title, series, lines: loneLines(rows.filter((row) => !series.some(([, ofKind]) => ofKind.includes(row))))};
  });
  const among = pairs.flatMap(({lines}) => lines);
  return pairs.flatMap(({title, series, lines}) => [
    ...series.map(([kind, ofKind]) => seriesChart(kind, title, ofKind)),
    ...(lines.length ? [{
      title,
      note: "Messages per second. Scales do not begin at 0.",
      draw: (width) => scaledLines(lines, {width, number: thousands, className: "throughput-mark", ariaLabel: `Throughput of single loads, ${title}`, among}),
    }] : []),
  ]);
}

// The percentiles that a side has, from its keys p50_us, p90_us and so on: [[50, "p50_us"], ...].
const percentilesOf = (side, prefix = "") => Object.keys(side).flatMap((key) => {
  const digits = key.startsWith(prefix) && /^p(\d+)_us$/.exec(key.slice(prefix.length))?.[1];
  return digits ? [[Number(`${digits.slice(0, 2)}.${digits.slice(2)}`), key]] : [];
}).sort(([one], [other]) => one - other);

const nines = (percentile) => -Math.log10(1 - percentile / 100);

// From all blocks merged: p99.9 as a point, and the curve from p50 on as a path. A run that kept no
// histograms has neither.
const togetherOf = (all) => (all ? {last: [[99.9, {value: all.p999_us, n: 1}]], path: all.curve_us.map((y, i) => ({x: i / 10, y})).slice(3)} : {last: []});

// One line per side of a row: the percentiles whose keys begin with `prefix`, and those of all
// blocks merged.
const percentileLines = (row, together, prefix = "") => sides(row).map((side) => {
  const {last, path} = togetherOf(side[together]);
  const overBlocks = percentilesOf(side, prefix).map(([percentile, key]) => [percentile, side[key]]);
  const points = [...overBlocks, ...last].filter(([, estimate]) => measured(estimate)).map(([percentile, estimate]) => ({x: nines(percentile), percentile, server: side.server, label: `${prefix.replace("_", " ")}p${percentile}, µs`, estimate}));
  return {role: side.role, points, path};
});

function percentileChart(title, row, lines, loop, className) {
  const points = lines.flatMap((line) => line.points);
  const percentiles = [...new Set(points.map((point) => point.percentile))].sort((one, other) => one - other);
  const values = [...points.flatMap(({estimate}) => [low(estimate), high(estimate)]), ...lines.flatMap(pathOf).map(({y}) => y)].filter((value) => value > 0);
  const domain = [Math.min(...values) / 1.15, Math.max(...values) * 1.15];
  return {
    title: loadWords(row.scenario),
    group: title,
    legend: legendOf(row.comparison),
    small: true,
    draw: (width) => frame(lines, width, {
      number: threeDigits,
      className,
      ariaLabel: `Latency by percentile, ${loop}, ${row.scenario}, ${title}`,
      x: {domain: [nines(50) - 0.1, nines(percentiles.at(-1)) + 0.1], ticks: percentiles.map(nines), tickFormat: (_, i) => `p${percentiles[i]}`, label: `percentile, ${loop}`},
      y: {type: "log", domain, label: "µs", ticks: logTicksOf(domain), tickFormat: (each) => each.toLocaleString("en-US")},
    }),
  };
}

export function latencyCharts({results}) {
  const rows = results.loads.filter((row) => measured(row.base.p50_us) && measured(row.contender.p50_us));
  return byPair(rows).flatMap(([title, ofPair]) => ofPair.map((row) => percentileChart(title, row, percentileLines(row, "latency"), "closed loop", "latency-mark")));
}

// A saturated server has no line. If both are saturated there is no chart, only the table.
export function openLoopCharts({results}) {
  const rows = results.open_loops.filter((row) => !row.base.saturated || !row.contender.saturated);
  return byPair(rows).flatMap(([title, ofPair]) => ofPair.map((row) => {
    const service = percentileLines(row, "service", "service_").map((line) => ({...line, dashed: true}));
    return percentileChart(title, row, [...service, ...percentileLines(row, "response", "response_")], "open loop", "response-mark");
  }));
}
