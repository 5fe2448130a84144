// rows: charts with text in each row: a name to the left of the plot, a result to the right. On a
// narrow screen both stand above the plot.
import {isNarrow, onTwoLines, text} from "./look.js";

// Pixels for the names of the rows, in bold type.
export const nameWidth = (names) => Math.max(96, 7.4 * Math.max(0, ...names.flatMap((name) => onTwoLines(name).split("\n")).map((line) => line.length)) + 18);

export function rowLayout(width, {left, right, height, narrowHeight}) {
  if (isNarrow(width)) return {narrow: true, marginLeft: 8, marginRight: 14, rowHeight: narrowHeight, shift: 24};
  return {narrow: false, marginLeft: left, marginRight: right, rowHeight: height, shift: 0};
}

// Two columns of text; on a narrow screen two lines. `y` is the channel of the band.
export function rowLabels(data, layout, {y, name, says, color = "var(--ink)"}) {
  const place = {y, stroke: "var(--paper)", strokeWidth: 4, paintOrder: "stroke"};
  if (layout.narrow) {
    const left = {...place, fontSize: 12.5, frameAnchor: "left", textAnchor: "start", dx: -layout.marginLeft};
    return [
      text(data, {...left, text: name, fontWeight: 600, lineHeight: 1.15, lineAnchor: "bottom", dy: -5}),
      text(data, {...left, text: says, fill: color, dy: 5}),
    ];
  }
  return [
    text(data, {...place, text: name, fontWeight: 600, lineHeight: 1.15, frameAnchor: "left", textAnchor: "start", dx: -layout.marginLeft}),
    text(data, {...place, text: says, fill: color, frameAnchor: "right", textAnchor: "start", dx: 14}),
  ];
}
