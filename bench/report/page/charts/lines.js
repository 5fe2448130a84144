// lines: two servers under each load, one line each, with a value and its interval. Each load has a
// scale of its own, because loads differ by a factor of hundreds.
//
//     scaledLines(lines, {width, from: 0, number: count, className: "overhead-mark", ariaLabel, among: lines})
//
// A line is {scenario, role, server, estimate, says, brief, below, limited, group}. Lines of one group
// share a scale; `brief` is what a narrow screen has room for. With `from`, that value is on
// every scale and stands at one place in all of them.
import * as Plot from "@observablehq/plot";
import {chart, commonPlace, dot, high, isNarrow, loadWords, low, onTwoLines, roles, text, ticksOf} from "./look.js";

const rangeOf = (lines) => [Math.min(...lines.map(({estimate}) => low(estimate))), Math.max(...lines.map(({estimate}) => high(estimate)))];

const groupsOf = (lines) => [...lines.reduce((groups, line) => groups.set(line.group, [...(groups.get(line.group) ?? []), line]), new Map()).values()];

// Where `from` stands in all scales, as a part of their width.
function placeOf(from, groups) {
  const reaches = groups.map(rangeOf).map(([lowest, highest]) => ({left: Math.max(0, from - lowest), right: Math.max(0, highest - from)}));
  return Math.min(0.5, Math.max(0.06, commonPlace(reaches)));
}

// The values at the left and at the right end of a group's scale.
function domainOf(lines, from, place) {
  const [lowest, highest] = rangeOf(lines);
  if (from === undefined) {
    const air = (highest - lowest) * 0.15 || Math.abs(highest) * 0.1 || 1;
    return [lowest - air, highest + air];
  }
  const scale = 1.06 * Math.max((from - lowest) / place, (highest - from) / (1 - place)) || 1;
  return [from - scale * place, from + scale * (1 - place)];
}

const widest = (texts) => Math.max(...texts.flatMap((each) => each.split("\n")).map((line) => line.length));

function layoutOf(lines, width) {
  if (isNarrow(width)) return {narrow: true, bands: ["title", "contender", "base", "axis"], height: 36, shift: 9, marginLeft: 12, marginRight: 20};
  const server = 7.3 * widest(lines.map((line) => line.server)) + 24;
  const name = 7.4 * widest(lines.map((line) => onTwoLines(loadWords(line.scenario)))) + 20;
  return {narrow: false, bands: ["contender", "base", "axis"], height: 21, shift: 0, marginLeft: name + server, marginRight: 30 + 7 * widest(lines.map((line) => line.says)), server};
}

function labels(lines, heads, layout) {
  const left = {frameAnchor: "left", textAnchor: "start"};
  if (layout.narrow) {
    const above = {y: "role", fy: "scenario", dy: -7, fontSize: 12, stroke: "var(--paper)", strokeWidth: 4, paintOrder: "stroke"};
    return [
      text(heads, {...left, y: () => "title", fy: "scenario", dx: -12, fontWeight: 600, lineHeight: 1.15, text: (head) => onTwoLines(loadWords(head.scenario), 46)}),
      text(lines, {...above, ...left, dx: -12, text: "server", textOverflow: "ellipsis", lineWidth: 13}),
      text(lines, {...above, frameAnchor: "right", textAnchor: "end", dx: 20, text: (line) => line.brief ?? line.says}),
    ];
  }
  return [
    text(heads, {...left, y: () => "contender", fy: "scenario", lineAnchor: "top", dy: -8, dx: -layout.marginLeft, fontWeight: 600, lineHeight: 1.15, text: (head) => onTwoLines(loadWords(head.scenario))}),
    text(heads.filter((head) => head.below), {...left, y: () => "axis", fy: "scenario", dx: -layout.marginLeft, fontSize: 12, fill: "var(--muted)", text: "below"}),
    text(lines, {...left, y: "role", fy: "scenario", dx: -layout.server + 12, text: "server"}),
    text(lines, {y: "role", fy: "scenario", frameAnchor: "right", textAnchor: "start", dx: 16, text: "says"}),
  ];
}

// `among`: all lines of a section, so that its charts have the same margins and the same place of
// `from`.
export function scaledLines(lines, {width, from, number, className, ariaLabel, among}) {
  const groups = groupsOf(lines);
  const place = placeOf(from ?? 0, groupsOf(among));
  const layout = layoutOf(among, width);
  const domains = new Map(groups.map((ofLoad) => [ofLoad[0].scenario, domainOf(ofLoad, from, place)]));
  const at = (scenario, value) => (value - domains.get(scenario)[0]) / (domains.get(scenario)[1] - domains.get(scenario)[0]);
  const ticks = [...domains].flatMap(([scenario, domain]) => ticksOf(domain, Math.max(3, (width - layout.marginLeft - layout.marginRight) / 100)).map((value) => ({scenario, x: at(scenario, value), label: number(value)})));
  const rows = {y: "role", fy: "scenario", dy: layout.shift};
  const insets = {insetTop: layout.narrow ? layout.height : 0, insetBottom: layout.height};
  const dots = (limited, options) => ["contender", "base"].map((role) => dot(lines.filter((line) => line.role === role && Boolean(line.limited) === limited), role, {...rows, x: (line) => at(line.scenario, line.estimate.value), className, title: (line) => `${line.server}: ${line.says}`, ...options(role)}));
  return chart({
    width,
    height: groups.length * (layout.bands.length * layout.height + 10) + 4,
    marginLeft: layout.marginLeft,
    marginRight: layout.marginRight,
    marginTop: 2,
    marginBottom: 2,
    x: {domain: [0, 1], axis: null},
    y: {type: "band", domain: layout.bands, axis: null, padding: 0},
    fy: {domain: [...domains.keys()], axis: null, padding: 0.1},
    ariaLabel,
    marks: [
      Plot.ruleX(ticks, {x: "x", fy: "scenario", stroke: "var(--rule)", strokeOpacity: 0.7, ...insets}),
      from === undefined ? null : Plot.ruleX([...domains.keys()], {x: (scenario) => at(scenario, from), fy: (scenario) => scenario, stroke: "var(--muted)", strokeWidth: 1.5, ...insets}),
      text(ticks, {x: "x", y: () => "axis", fy: "scenario", text: "label", fontSize: 11, fill: "var(--muted)", dy: layout.narrow ? -9 : -2}),
      Plot.ruleY(lines.filter((line) => line.estimate.range), {...rows, x1: (line) => at(line.scenario, line.estimate.range.low), x2: (line) => at(line.scenario, line.estimate.range.high), stroke: (line) => roles[line.role].color, strokeWidth: 2, marker: "tick"}),
      ...dots(false, () => ({})),
      ...dots(true, (role) => ({fill: "var(--paper)", stroke: roles[role].color, strokeWidth: 2})),
      ...labels(lines, groups.map(([first]) => first), layout),
    ],
  });
}
