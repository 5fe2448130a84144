// The A/A control: a server compared with itself, one mark per block. The distance of the marks
// from 1 shows how far apart two equal servers measure on this machine.
import * as Plot from "@observablehq/plot";
import {chart, dot, isNarrow, ratio, ticksOf} from "./look.js";

function control({blocks}, margin, width) {
  const far = Math.max(...blocks.map((block) => Math.abs(Math.log(block.ratio))), 1.6 * margin) * 1.1;
  const domain = [Math.exp(-far), Math.exp(far)];
  return chart({
    width: Math.min(width, 720),
    height: 92,
    marginLeft: 10,
    marginRight: 10,
    marginTop: 8,
    marginBottom: 26,
    x: {type: "log", domain, label: null, ticks: ticksOf(domain, isNarrow(width) ? 4 : 8), tickFormat: ratio, tickSize: 4},
    ariaLabel: "Ratio of two launches of one server, each block",
    marks: [
      Plot.rect([1], {x1: 1 / (1 + margin), x2: 1 + margin, fill: "var(--band)"}),
      Plot.ruleX([1], {stroke: "var(--muted)", strokeWidth: 1.5}),
      dot(blocks, "floor", Plot.dodgeY("middle", {x: "ratio", fill: "var(--ink)", symbol: "circle", className: "control-mark", title: (block) => `round ${block.round + 1}: ${ratio(block.ratio)}`})),
    ],
  });
}

export function controlCharts({results}) {
  const marginOf = ({kind}) => (kind === "exclusive" ? results.margin_alone : results.margin);
  return results.controls.map((row) => ({
    title: `${row.server} against itself on ${row.scenario}${row.kind === "exclusive" ? ", loaded alone" : ""}`,
    note: "Second launch ÷ first launch, CPU per message. Shaded: the margin.",
    draw: (width) => control(row, marginOf(row), width),
  }));
}
