// The page has every number in a table. If scripts run, this script puts a chart before each table,
// folds the tables and what only experts need, makes each row a link to itself, and offers the data
// for download. It makes no network requests.
import {blockCharts} from "./blocks.js";
import {controlCharts} from "./control.js";
import {costCharts} from "./cost.js";
import {latencyCharts, openLoopCharts, throughputCharts} from "./curves.js";
import {forestCharts} from "./forest.js";
import {hostCharts} from "./hosts.js";
import {memoryCharts} from "./memory.js";
import {rateCharts} from "./rates.js";
import {unpackedJson, unpackedLines} from "./packed.js";

const kinds = {
  forest: forestCharts,
  control: controlCharts,
  cost: costCharts,
  "part-load": rateCharts,
  throughput: throughputCharts,
  latency: latencyCharts,
  "open-loop": openLoopCharts,
  hosts: hostCharts,
  memory: memoryCharts,
  blocks: blockCharts,
};

const element = (name, className, ...children) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
};

const embedded = (id) => JSON.parse(document.getElementById(id).textContent);

const legendOf = (entries) =>
  element("ul", "legend", ...entries.map(([role, name]) => element("li", role, element("span", `symbol ${role}`), name)));

function figureOf({title, note, legend, small, draw}) {
  const canvas = element("div", "canvas");
  const figure = element("figure", small ? "small" : "");
  if (title) figure.append(element("figcaption", "title", title));
  if (note) figure.append(element("p", "note", note));
  if (legend && !small) figure.append(legendOf(legend));
  figure.append(canvas);
  return {figure, canvas, draw};
}

// Places the figures; small ones of one group stand side by side under the name of the group.
function place(figures, holder) {
  let group = null;
  let grid = holder;
  for (const {chart, made} of figures) {
    if (!chart.small) {
      holder.append(made.figure);
      continue;
    }
    if (chart.group !== group) {
      group = chart.group;
      grid = element("div", "multiples");
      holder.append(element("h3", "", group), ...(chart.legend ? [legendOf(chart.legend)] : []), grid);
    }
    grid.append(made.figure);
  }
}

// Redraws a chart when its width changes, except while printing.
const drawn = new ResizeObserver((entries) => {
  for (const {target, contentRect} of entries) if (!printing) target.redraw(Math.floor(contentRect.width));
});

// For printing, charts are drawn at the paper's width, so that their text is as large as the text
// around them.
let printing = false;
const paper = {whole: 680, small: 322};
const widthOf = (canvas) => Math.floor(canvas.getBoundingClientRect().width);

function redrawAll(width) {
  for (const canvas of document.querySelectorAll(".canvas")) canvas.redraw(width(canvas));
}

addEventListener("beforeprint", () => {
  printing = true;
  for (const part of document.querySelectorAll("details.part:not([open])")) {
    part.classList.add("unfolded-to-print");
    part.open = true;
  }
  redrawAll((canvas) => (canvas.closest(".small") ? paper.small : paper.whole));
});
addEventListener("afterprint", () => {
  printing = false;
  redrawAll(widthOf);
  for (const part of document.querySelectorAll(".unfolded-to-print")) {
    part.classList.remove("unfolded-to-print");
    part.open = false;
  }
});

function show({canvas, draw}) {
  let last = 0;
  canvas.redraw = (width) => {
    if (width < 1 || width === last) return;
    last = width;
    canvas.replaceChildren(draw(width));
  };
  canvas.redraw(widthOf(canvas));
  drawn.observe(canvas);
}

function fill(holder, report) {
  const figures = kinds[holder.dataset.charts](report).map((chart) => ({chart, made: figureOf(chart)}));
  if (!figures.length) return;
  place(figures, holder);
  for (const {made} of figures) show(made);
  holder.parentElement.querySelectorAll("details.table").forEach((table) => table.removeAttribute("open"));
}

function download(name, type, content) {
  const link = element("a", "button", `Download ${name}`);
  link.download = name;
  const file = new Blob([content], {type});
  link.href = URL.createObjectURL(file);
  link.title = `${file.size} bytes`;
  return link;
}

// The contents stand at the side of a wide page and take its first lines on a narrow one, where they
// are folded.
function foldContents() {
  const wide = matchMedia("(min-width: 72rem)");
  const list = document.querySelector(".contents details");
  const fold = () => { list.open = wide.matches; };
  wide.addEventListener("change", fold);
  fold();
  list.addEventListener("click", ({target}) => { if (target.closest("a")) fold(); });
}

// Makes the head of each row a link to the row.
function linkRows() {
  for (const row of document.querySelectorAll("tr[id]")) {
    const link = element("a", "to-row", ...row.cells[0].childNodes);
    link.href = `#${row.id}`;
    link.title = "link to this row";
    row.cells[0].append(link);
  }
}

// Unfolds what the address names, and everything around it.
function showTarget() {
  const target = document.getElementById(location.hash.slice(1));
  if (!target) return;
  const own = target.querySelector(":scope > details.part");
  if (own) own.open = true;
  for (let at = target.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
  target.scrollIntoView();
}

const report = unpackedJson(embedded("report"));
for (const holder of document.querySelectorAll("[data-charts]")) fill(holder, report);
for (const each of document.querySelectorAll("details.part, details.fold")) each.open = false;
document.getElementById("downloads")?.append(
  download("report.json", "application/json", JSON.stringify(report, null, 2)),
  download("report.csv", "text/csv", unpackedLines(embedded("report-csv"))));
foldContents();
linkRows();
addEventListener("hashchange", showTarget);
showTarget();
