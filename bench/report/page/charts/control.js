// The controls, which have to come out in a known way: a server that burns extra time has to take
// more, and two launches of one server have to take the same, one mark per block.
import * as Plot from "@observablehq/plot";
import {chart, dot, loadWords, onTwoLines, ratio, text} from "./look.js";
import {domainAround, forestLayout, groundOf, injectedCharts, marginOf} from "./forest.js";
import {rowLabels} from "./rows.js";

function control(row, results, width) {
  const {blocks} = row;
  const margin = marginOf(row.kind, results);
  const layout = forestLayout(results, width);
  const far = Math.max(...blocks.map((block) => Math.abs(Math.log(block.ratio))), 1.6 * margin);
  const domain = domainAround({left: far, right: far}, results);
  const height = layout.narrow ? 68 : 40;
  return chart({
    width,
    height: height + 36,
    marginLeft: layout.marginLeft,
    marginRight: layout.marginRight,
    marginTop: 6,
    marginBottom: 30,
    x: {type: "log", domain, axis: null},
    y: {type: "band", domain: [row.scenario], axis: null, padding: 0},
    ariaLabel: "Ratio of two launches of one server, each block",
    marks: [
      ...groundOf(domain, margin, width - layout.marginLeft - layout.marginRight),
      // Plot moves the marks by half a band, although they have no row.
      dot(blocks, "floor", Plot.dodgeY("middle", {x: "ratio", fill: "var(--ink)", symbol: "circle", r: 4, dy: layout.shift - height / 2, className: "control-mark", title: (block) => `round ${block.round + 1}: ${ratio(block.ratio)}`})),
      ...rowLabels([row], layout, {y: "scenario", name: () => onTwoLines(loadWords(row.scenario), layout.narrow ? 46 : 31), says: () => `${blocks.length} blocks, one mark each`}),
    ],
  });
}

export function controlCharts(report) {
  const {results} = report;
  const marked = (charts, note) => charts.map((each) => ({...each, note}));
  return [
    ...marked(results.controls.map((row) => ({
      title: `${row.server} against itself${row.kind === "exclusive" ? ", loaded alone" : ""}`,
      draw: (width) => control(row, results, width),
    })), "Second launch ÷ first launch. The marks have to lie around 1.00: their distance is the noise."),
    ...marked(injectedCharts(report), "One server burns extra time on purpose. It has to come out as taking more."),
  ];
}
