// look: what all charts share: colours and shapes of the servers, formats of numbers, positions of
// labels.
//
// Each server has a colour, a shape and its name beside it, so the charts do not depend on colour
// vision. Colours are CSS variables, whose values for light, dark and print are in style.css.
import * as Plot from "@observablehq/plot";

export const roles = {
  contender: {color: "var(--contender)", symbol: "circle"},
  base: {color: "var(--base)", symbol: "square"},
  floor: {color: "var(--floor)", symbol: "diamond2"},
};

export const words = {
  lower: {sign: "▼", color: "var(--contender)"},
  higher: {sign: "▲", color: "var(--base)"},
  equivalent: {sign: "≈", color: "var(--ink)"},
  tiny: {sign: "·", color: "var(--ink)"},
  inconclusive: {sign: "?", color: "var(--muted)"},
  conflict: {sign: "⚠", color: "var(--ink)"},
};

// Formats of numbers, the same as in the page's tables.
export const count = (number) => (Math.round(number) || 0).toLocaleString("en-US"); // || 0: without -0
export const ratio = (number) => number.toFixed(3);
export const threeDigits = (number) =>
  Math.abs(number) >= 99.95 ? count(number) : number.toFixed(Math.abs(number) >= 9.995 ? 1 : 2);

export function interval(estimate, number) {
  if (!estimate || estimate.n === 0) return "n/a";
  const {value, range} = estimate;
  return range ? `${number(value)} [${number(range.low)}, ${number(range.high)}]` : number(value);
}

export const measured = (estimate) => Boolean(estimate && estimate.n > 0);
export const low = (estimate) => estimate.range?.low ?? estimate.value;
export const high = (estimate) => estimate.range?.high ?? estimate.value;

// The two sides of a row of results, the contender first as in the tables.
export const sides = (row) => [
  {...row.contender, role: "contender"},
  {...row.base, role: "base"},
];

export const pairTitle = (pair) => `${pair.contender} against ${pair.base}`;

// Groups rows by the pair that they compare, in order: [[title, rows], ...].
export function byPair(rows) {
  const groups = new Map();
  for (const row of rows) {
    const title = pairTitle(row.comparison);
    if (!groups.has(title)) groups.set(title, []);
    groups.get(title).push(row);
  }
  return [...groups];
}

// "c64/512/d16" becomes {connections: 64, kind: "512/d16"}.
export function scenarioOf(text) {
  const [connections, ...rest] = text.split("/");
  return {connections: Number(connections.slice(1)), kind: rest.join("/")};
}

// A pair of a server and the same server with extra time burnt in it.
export const isInjected = ({comparison: {contender, base}}) => contender.includes("/inject") !== base.includes("/inject");

// "c64/512" is "64 connections of 512 bytes": the page's list of loads says so.
const wordsOfLoads = new Map([...document.querySelectorAll("[data-load]")].map((each) => [each.dataset.load, each.querySelector("dd").textContent]));
export const loadWords = (name) => wordsOfLoads.get(name) ?? name;

// Breaks words that are long after a comma, or else near their middle.
export function onTwoLines(words, most = 31) {
  if (words.length <= most) return words;
  const comma = words.indexOf(", ") + 1;
  const at = comma > 0 && comma <= most ? comma : words.lastIndexOf(" ", words.length / 2 + 2);
  return at > 0 ? `${words.slice(0, at)}\n${words.slice(at + 1)}` : words;
}

// Where a value that several scales share has to stand, as a part of their width, so that none of
// them is pressed more than needed. Each scale has to reach `left` and `right` of that value.
export function commonPlace(reaches) {
  const parts = reaches.map(({left, right}) => left / (left + right || 1));
  const [least, most] = [Math.min(...parts), Math.max(...parts)];
  return most / (1 - least + most || 1);
}

export const isNarrow = (width) => width < 640;

// A dot with the colour and the shape of a role.
export function dot(data, role, options) {
  const {color, symbol} = roles[role];
  return Plot.dot(data, {fill: color, symbol, r: 4.5, stroke: "var(--paper)", strokeWidth: 1, ...options});
}

export const text = (data, options) => Plot.text(data, {fill: "var(--ink)", fontSize: 13, ...options});

export function chart(options) {
  const {style, ...rest} = options;
  const drawn = Plot.plot({
    ...rest,
    style: {fontFamily: "inherit", fontSize: "12px", background: "none", overflow: "visible", ...style},
  });
  drawn.setAttribute("role", "img"); // one image for screen readers; the numbers are in the table
  return drawn;
}

// About `wanted` round numbers within the range.
export function ticksOf([from, to], wanted) {
  const rough = (to - from) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough * 0.999);
  const first = Math.ceil(from / step - 1e-6);
  return Array.from({length: Math.max(0, Math.floor(to / step + 1e-6) - first + 1)}, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

// Ticks of a logarithmic scale: powers of ten, with 3 or with 2 and 5 in between if that is needed
// for three ticks; on a shorter scale those of ticksOf().
export function logTicksOf([from, to]) {
  const powers = ticksOf([Math.floor(Math.log10(from)), Math.ceil(Math.log10(to))], 1000).filter(Number.isInteger);
  const ticksBy = (factors) => powers.flatMap((power) => factors.map((factor) => factor * 10 ** power)).filter((tick) => tick >= from && tick <= to);
  return [[1], [1, 3], [1, 2, 5]].map(ticksBy).find((ticks) => ticks.length > 2) ?? ticksOf([from, to], 4);
}

// Positions that are at least `gap` apart and as near as possible to `places`, which are in
// ascending order.
export function apart(places, gap) {
  const clusters = [];
  for (const place of places) {
    clusters.push({sum: place, size: 1});
    while (clusters.length > 1) {
      const [upper, lower] = clusters.slice(-2);
      const bottom = upper.sum / upper.size + ((upper.size - 1) * gap) / 2;
      const top = lower.sum / lower.size - ((lower.size - 1) * gap) / 2;
      if (top - bottom >= gap) break;
      clusters.splice(-2, 2, {sum: upper.sum + lower.sum, size: upper.size + lower.size});
    }
  }
  return clusters.flatMap(({sum, size}) =>
    Array.from({length: size}, (_, i) => sum / size + (i - (size - 1) / 2) * gap));
}

// Names to the right of the frame, each beside the end of its line, or `below` pixels under it
// where other lines go on. `ends` have x, y, name and role. A name may be room(end) pixels wide.
export function endNames(ends, {domain: [from, to], log = false, inner, fontSize = 13, below = 0, room = () => Infinity}) {
  const scaled = log ? Math.log : (y) => y;
  const pixel = (y) => (inner * (scaled(to) - scaled(y))) / (scaled(to) - scaled(from));
  const sorted = [...ends].sort((one, other) => other.y - one.y);
  const places = apart(sorted.map((end) => pixel(end.y)), fontSize + 3);
  return sorted.map((end, i) =>
    text([end], {x: "x", y: "y", text: "name", textAnchor: "start", textOverflow: "ellipsis", lineWidth: room(end) / fontSize / 1.1, dx: 12, dy: places[i] - pixel(end.y) + below, fill: roles[end.role].color, fontSize, fontWeight: 600, stroke: "var(--paper)", strokeWidth: 4, paintOrder: "stroke"}));
}
