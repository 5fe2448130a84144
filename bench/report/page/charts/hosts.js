// The hosts of a load over time: a line per host, a cell per slice in the order measured. A cell
// tells how many messages the host had, beside what its part of the generators would give: one colour
// for less and one for more, stronger where it is farther off. Beside each line stands the median.
//
// Where there is no room for all slices, several share a cell: it shows the one that is farthest off.
import * as Plot from "@observablehq/plot";
import {chart, loadWords, text} from "./look.js";

const narrowest = 4; // pixels of a cell
const height = 22;

// From the least to the most; a part belongs to the first step whose limit it does not reach.
const steps = [
  {role: "much-less", name: "under 75 %", below: 0.75, fill: "var(--base)", opacity: 1},
  {role: "less", name: "75 to 95 %", below: 0.95, fill: "var(--base)", opacity: 0.45},
  {role: "its-part", name: "its part, within 5 %", below: 1.05, fill: "var(--muted)", opacity: 0.3},
  {role: "more", name: "105 to 133 %", below: 4 / 3, fill: "var(--contender)", opacity: 0.45},
  {role: "much-more", name: "over 133 %", below: Infinity, fill: "var(--contender)", opacity: 1},
];
const absent = {role: "absent", name: "absent", fill: "none", opacity: 1};
const stepOf = (part) => (part === null ? absent : steps.find(({below}) => part < below));
const legend = [...steps, absent].map(({role, name}) => [role, name]);

const percent = (part) => `${Math.round(100 * part)} %`;
const distance = (part) => (part === null ? -1 : Math.abs(Math.log(Math.max(part, 1e-3))));

function median(parts) {
  const sorted = parts.filter((part) => part !== null).sort((one, other) => one - other);
  if (!sorted.length) return null;
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const slicesOf = (from, to) => (to - from > 1 ? `slices ${from + 1} to ${to}, at most` : `slice ${to}`);

// `most`: how many cells have room beside each other.
function cellsOf({host, parts}, most) {
  const together = Math.max(1, Math.ceil(parts.length / most));
  return Array.from({length: Math.ceil(parts.length / together)}, (_, i) => {
    const [from, to] = [i * together, Math.min(parts.length, (i + 1) * together)];
    const part = parts.slice(from, to).reduce((one, other) => (distance(other) > distance(one) ? other : one));
    return {host, from, to, part, ...stepOf(part)};
  });
}

function strips(rows, width) {
  const longest = Math.max(...rows.map(({host}) => host.length));
  const marginLeft = Math.min(0.36 * width, 7.6 * longest + 22);
  const marginRight = 52;
  const count = rows[0].parts.length;
  const cells = rows.flatMap((row) => cellsOf(row, Math.max(1, Math.floor((width - marginLeft - marginRight) / narrowest))));
  const says = rows.map(({host, parts}) => ({host, says: median(parts)})).filter(({says}) => says !== null);
  const shape = {x1: "from", x2: "to", y: "host", insetTop: 2, insetBottom: 2, insetRight: 0.5};
  return chart({
    width,
    height: height * rows.length + 34,
    marginLeft,
    marginRight,
    marginTop: 4,
    marginBottom: 30,
    x: {domain: [0, count], axis: null},
    y: {type: "band", domain: rows.map(({host}) => host), axis: null, padding: 0},
    ariaLabel: `Messages of each host in each slice, ${rows[0].scenario}`,
    marks: [
      Plot.rect(cells, {...shape, fill: "fill", fillOpacity: "opacity", stroke: ({part}) => (part === null ? "var(--rule)" : "none"), className: "host-mark", title: ({host, from, to, part}) => `${host}, ${slicesOf(from, to)}: ${part === null ? "absent" : percent(part)}`}),
      text(rows, {y: "host", text: "host", frameAnchor: "left", textAnchor: "start", dx: -marginLeft, fontWeight: 600, textOverflow: "ellipsis-middle", lineWidth: (marginLeft - 14) / 14.3}),
      text(says, {y: "host", text: ({says}) => percent(says), frameAnchor: "right", textAnchor: "start", dx: 8}),
      text([`${count} ${count === 1 ? "slice" : "slices"}, from the first to the last`], {frameAnchor: "bottom-left", dy: 18, fontSize: 12, fill: "var(--muted)"}),
    ],
  });
}

export function hostCharts({results}) {
  const loads = new Map();
  for (const row of (results.hosts ?? []).filter(({parts}) => parts.length)) loads.set(row.scenario, [...(loads.get(row.scenario) ?? []), row]);
  return [...loads].map(([scenario, rows]) => ({
    title: loadWords(scenario),
    group: "Messages of each host, beside what its part of the generators would give",
    legend,
    small: true,
    draw: (width) => strips(rows, width),
  }));
}
