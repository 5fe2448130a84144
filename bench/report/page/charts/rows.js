// rows: charts whose lines carry words: a name to the left of what is drawn, what it says to the
// right. On a telephone both stand above it.
import {isNarrow, text} from "./look.js";

// What the names of the loads take, in their bold letters.
export const nameWidth = (rows) => Math.max(96, 8.2 * Math.max(...rows.map((row) => row.scenario.length)) + 16);

export function rowLayout(width, {left, right, height}) {
  if (isNarrow(width))
    return {narrow: true, marginLeft: 6, marginRight: 10, rowHeight: 46, shift: 9, labelShift: -11};
  return {narrow: false, marginLeft: left, marginRight: right, rowHeight: height, shift: 0, labelShift: 0};
}

// Two columns of words; `y` names the band and `fy`, where there are any, the group.
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
