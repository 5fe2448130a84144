// CPU per message, p50 and p99 over the rate: a small chart of each, whose lines are the two
// servers. The last point is the full load, where each server has a rate of its own.
import {frame, legendOf, thousands} from "./curves.js";
import {count, high, loadWords, logTicksOf, low, measured, pairTitle, sides, threeDigits, ticksOf} from "./look.js";

const divided = ({value, range, n}, by) => ({value: value / by, range: range && {low: range.low / by, high: range.high / by}, n});

const rateWords = ({scenario}) => /\/r(.*)%$/.exec(scenario)?.[1].concat(" %") ?? (scenario.includes("/r") ? "fixed rate" : "full load");

// The line of each server. `estimateOf` gives what is drawn of a side.
const linesOf = ({points}, estimateOf) => ["contender", "base"].map((role) => ({
  role,
  points: points.flatMap((point) => {
    const side = sides(point).find((each) => each.role === role);
    const estimate = estimateOf(side);
    if (!measured(estimate) || !measured(side.messages_per_second)) return [];
    const x = side.messages_per_second.value;
    return [{x, server: side.server, label: `${rateWords(point)}, ${count(x)} messages/s`, estimate, limited: side.client_limited}];
  }),
}));

// From 0, so that the eye compares the heights.
function linear(values) {
  const domain = [0, 1.06 * Math.max(...values)];
  return {domain, ticks: ticksOf(domain, 4)};
}

function logarithmic(values) {
  const domain = [Math.min(...values) / 1.15, Math.max(...values) * 1.15];
  return {type: "log", domain, ticks: logTicksOf(domain), tickFormat: (each) => each.toLocaleString("en-US")};
}

const panels = [
  {title: "CPU per message", className: "rate-cpu-mark", estimateOf: (side) => divided(side.cpu_ns, 1000), scale: linear},
  {title: "p50 of latency", className: "rate-latency-mark", estimateOf: (side) => side.p50_us, scale: logarithmic},
  {title: "p99 of latency", className: "rate-latency-mark", estimateOf: (side) => side.p99_us, scale: logarithmic},
];

function panelOf(curve, {title, className, estimateOf, scale}, group) {
  const lines = linesOf(curve, estimateOf);
  const points = lines.flatMap((line) => line.points);
  if (!points.length) return [];
  const farthest = 1.05 * Math.max(...points.map(({x}) => x));
  const y = scale(points.flatMap(({estimate}) => [low(estimate), high(estimate)]).filter((value) => value > 0));
  return [{
    title,
    group,
    legend: legendOf(curve.comparison),
    small: true,
    draw: (width) => frame(lines, width, {
      number: threeDigits,
      className,
      ariaLabel: `${title} over the rate, ${group}`,
      x: {domain: [0, farthest], ticks: ticksOf([0, farthest], 4), tickFormat: thousands, label: "messages/s"},
      y: {...y, label: "µs"},
    }),
  }];
}

export const rateCharts = ({results}) => (results.rate_curves ?? []).flatMap((curve) => {
  const group = `${loadWords(curve.load)}: ${pairTitle(curve.comparison)}`;
  return panels.flatMap((panel) => panelOf(curve, panel, group));
});
