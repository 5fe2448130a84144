// Prints as JSON what hdr-histogram-js reads in a latency.hlog, merged by tag: node read.mjs FILE
import {readFileSync} from "node:fs";
import {HistogramLogReader} from "hdr-histogram-js";

const reader = new HistogramLogReader(readFileSync(process.argv[2], "utf8"), 64);
const merged = new Map();
const intervals = [];
for (let each = reader.nextIntervalHistogram(); each; each = reader.nextIntervalHistogram()) {
  intervals.push({tag: each.tag, start_ms: each.startTimeStampMsec, end_ms: each.endTimeStampMsec, count: each.totalCount, max: each.maxValue});
  if (merged.has(each.tag)) merged.get(each.tag).add(each);
  else merged.set(each.tag, each);
}
const seen = [...merged].map(([tag, times]) => [tag, {
  count: times.totalCount,
  p50: times.getValueAtPercentile(50),
  p90: times.getValueAtPercentile(90),
  p99: times.getValueAtPercentile(99),
  p999: times.getValueAtPercentile(99.9),
  max: times.maxValue,
  table: times.outputPercentileDistribution(5, 1),
}]);
console.log(JSON.stringify({start_s: reader.startTimeSec, intervals, merged: Object.fromEntries(seen)}));
