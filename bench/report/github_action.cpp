// report.github-action-benchmark.json: data for the GitHub action of that name, which draws charts
// over commits; its tool is "customSmallerIsBetter".
//
// It holds ratios, and nanoseconds above the bare loop of the same block. These compare two servers
// within the same blocks, so they stay comparable when the next CI job runs on another machine. Raw
// nanoseconds and messages per second do not, so they are left out.
#include <fmt/format.h>

#include <bench/report/forms.hpp>
#include <bench/text/described_json.hpp>
#include <bench/text/numbers.hpp>
#include <string>

namespace bench {
namespace {

namespace json = boost::json;

void add(json::array& points, std::string name, const char* unit, const estimate& shown,
         std::string (*number)(double), const cost_row& row) {
  if (shown.n == 0) return;
  json::object point{{"name", std::move(name)}, {"unit", unit}, {"value", shown.value}};
  if (shown.range)
    point["range"] = fmt::format("[{}, {}]", number(shown.range->low), number(shown.range->high));
  point["extra"] = fmt::format("{} / {}: {}\n{} {} blocks", row.contender.server, row.base.server,
                               row.verdict.words, shown.n,
                               row.decided_by == block_kind::duet ? "duet" : "exclusive");
  points.push_back(std::move(point));
}

}  // namespace

std::string github_action_report(const results& found) {
  json::array points;
  for (const auto& row : found.costs) {
    if (row.verdict.what == finding::unmeasured) continue;
    const auto load = row.scenario.text();
    add(points,
        fmt::format("{}: CPU a message, {} / {}", load, row.contender.server, row.base.server),
        "ratio", row.ratio, ratio_text, row);
    for (const auto* side : {&row.contender, &row.base})
      if (side->overhead_ns)
        add(points,
            fmt::format("{}: {} above {}, beside {}", load, side->server, *row.comparison.floor,
                        side == &row.base ? row.contender.server : row.base.server),
            "ns a message", *side->overhead_ns, ns_text, row);
  }
  return indented_json_text(points);
}

}  // namespace bench
