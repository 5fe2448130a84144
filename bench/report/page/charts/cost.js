// What each server takes above the bare loop in the same blocks. Of a pair that ran without the
// bare loop: CPU per message.
import {byPair, count, interval, isInjected, measured, sides} from "./look.js";
import {scaledLines} from "./lines.js";

const percentOf = (part, whole) => `${part < 0 ? "" : "+"}${((100 * part) / whole).toFixed(1)} %`;

const aboveFloor = (row, side) => ({
  estimate: side.overhead_ns,
  says: `${interval(side.overhead_ns, count)} ns, ${percentOf(side.overhead_ns.value, row.floor_ns.value)}`,
  below: `bare loop: ${count(row.floor_ns.value)} ns`,
});

const linesOf = (rows, key, what) => rows.flatMap((row) => sides(row).filter((side) => measured(side[key])).map((side) => ({scenario: row.scenario, group: row, role: side.role, server: side.server, ...what(row, side)})));

const absolute = (_, side) => ({estimate: side.cpu_ns, says: `${interval(side.cpu_ns, count)} ns`});

function pairOf(title, rows) {
  const above = linesOf(rows.filter((row) => measured(row.floor_ns)), "overhead_ns", aboveFloor);
  return {title: isInjected(rows[0]) ? `Control: ${title}` : title, hasFloor: above.length > 0, lines: above.length ? above : linesOf(rows, "cpu_ns", absolute)};
}

export function costCharts({results}) {
  const {costs} = results;
  const pairs = byPair([...costs.filter((row) => !isInjected(row)), ...costs.filter(isInjected)]).map(([title, rows]) => pairOf(title, rows)).filter(({lines}) => lines.length);
  return pairs.map(({title, hasFloor, lines}) => ({
    title,
    note: hasFloor ? "Above the bare loop, per message, and in percent of it." : "CPU per message. Scales do not begin at 0.",
    draw: (width) => scaledLines(lines, {width, from: hasFloor ? 0 : undefined, number: count, className: "overhead-mark", ariaLabel: `CPU per message above the bare loop, ${title}`, among: pairs.filter((pair) => pair.hasFloor === hasFloor).flatMap((pair) => pair.lines)}),
  }));
}
