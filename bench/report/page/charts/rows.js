// rows: charts with text in each row: a name to the left of the plot, a result to the right. On a
// narrow screen both stand above the plot.
import {isNarrow, text} from "./look.js";

// Pixels for the names of the loads, in bold type.
export const nameWidth = (rows) => Math.max(96, 8.2 * Math.max(...rows.map((row) => row.scenario.length)) + 16);

export function rowLayout(width, {left, right, height}) {
  if (isNarrow(width))
    return {narrow: true, marginLeft: 6, marginRight: 10, rowHeight: 46, shift: 9, labelShift: -11};
  return {narrow: false, marginLeft: left, marginRight: right, rowHeight: height, shift: 0, labelShift: 0};
}

// Two columns of text. `y` is the channel of the band, `fy` that of the facet, if there is one.
export function rowLabels(data, layout, {y, fy, name, nameWeight = 600, says, color = "var(--ink)"}) {
  const place = {y, fy, dy: layout.labelShift, stroke: "var(--paper)", strokeWidth: 4, paintOrder: "stroke"};
  if (layout.narrow)
    return [
      text(data, {...place, text: name, fontSize: 12, fontWeight: nameWeight, frameAnchor: "left", textAnchor: "start", textOverflow: "ellipsis", lineWidth: 16}),
      text(data, {...place, text: says, fontSize: 12, fill: color, frameAnchor: "right", textAnchor: "end"}),
    ];
  return [
    text(data, {...place, text: name, fontWeight: nameWeight, frameAnchor: "left", textAnchor: "start", dx: -layout.marginLeft}),
    text(data, {...place, text: says, fill: color, frameAnchor: "right", textAnchor: "start", dx: 16}),
  ];
}
