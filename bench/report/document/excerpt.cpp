#include <bench/report/document/excerpt.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bench/analysis/headlines.hpp>
#include <bench/contract/printable.hpp>
#include <bench/report/by_host/host_table.hpp>
#include <bench/report/forms.hpp>
#include <bench/report/rates/curve_tables.hpp>
#include <bench/report/tables.hpp>
#include <bench/report/trust.hpp>
#include <bench/text/numbers.hpp>
#include <bench/text/options.hpp>
#include <optional>
#include <stdexcept>
#include <vector>

namespace bench {
namespace {

// --- what is wanted

struct excerpt_request {
  std::string name;
  std::optional<std::string> pair;  // as pair_title() writes it
  std::vector<std::string> loads;   // empty: all loads
};

[[noreturn]] void refuse_excerpt(std::string_view wanted) {
  throw std::invalid_argument{fmt::format("'{}' is not {}", wanted, accepted_excerpts())};
}

excerpt_request parse_request(std::string_view wanted) {
  const auto words = split(std::string{wanted}, ' ');
  if (words.empty()) refuse_excerpt(wanted);
  excerpt_request request{words[0], {}, {}};
  std::size_t next = 1;
  if (words.size() >= next + 4 && words[next] == "of" && words[next + 2] == "against") {
    request.pair = pair_title({words[next + 3], words[next + 1], {}});
    next += 4;
  }
  if (words.size() == next + 2 && words[next] == "on") {
    request.loads = split(words[next + 1], ',');
    next += 2;
  }
  if (next != words.size()) refuse_excerpt(wanted);
  return request;
}

void expect_in_run(const std::string& what, const std::vector<std::string>& there) {
  if (std::find(there.begin(), there.end(), what) == there.end())
    throw std::invalid_argument{
        fmt::format("the run has no {}, it has {}", what, fmt::join(there, ", "))};
}

void expect_in_run(const excerpt_request& request, const run_header& header) {
  std::vector<std::string> pairs, loads;
  for (const auto& each : header.comparisons) pairs.push_back(pair_title(each));
  for (const auto& each : header.scenarios) loads.push_back(each.text());
  if (request.pair) expect_in_run(*request.pair, pairs);
  for (const auto& each : request.loads) expect_in_run(each, loads);
}

// The results without the rows of other pairs and other loads.
results narrowed(results found, const excerpt_request& request) {
  const auto other_load = [&](const auto& row) {
    const auto& loads = request.loads;
    return !loads.empty() &&
           std::find(loads.begin(), loads.end(), row.scenario.text()) == loads.end();
  };
  const auto other = [&](const auto& row) {
    return other_load(row) || (request.pair && pair_title(row.comparison) != *request.pair);
  };
  std::erase_if(found.costs, other);
  std::erase_if(found.loads, other);
  if (!request.loads.empty()) found.overall.reset();
  if (found.overall && request.pair)
    std::erase_if(*found.overall, [&](const overall_row& each) {
      return pair_title(each.comparison) != *request.pair;
    });
  std::erase_if(found.open_loops, other);
  if (found.rate_curves) {
    for (auto& curve : *found.rate_curves) std::erase_if(curve.points, other_load);
    std::erase_if(*found.rate_curves, [&](const rate_curve& each) {
      return each.points.empty() || (request.pair && pair_title(each.comparison) != *request.pair);
    });
  }
  std::erase_if(found.kernel, other_load);
  if (found.hosts) std::erase_if(*found.hosts, other_load);
  if (request.pair || !request.loads.empty()) found.matrix.reset();  // it is about all servers
  found.headlines = headlines_of(found);
  return found;
}

// --- what there is

// The title is bold text and not a heading, because the document has headings of its own.
std::string captioned(const table& shown) {
  if (shown.rows.empty()) return {};
  return fmt::format("**{}.**{}{}\n\n{}", markdown_text(shown.title), shown.note.empty() ? "" : " ",
                     markdown_text(shown.note), markdown_table(shown));
}

std::string one_below_another(const std::vector<table>& tables) {
  std::string text;
  for (const auto& each : tables) {
    const auto next = captioned(each);
    if (!next.empty()) text += (text.empty() ? "" : "\n") + next;
  }
  return text;
}

template <table (*table_of)(const results&, const comparison&)>
std::string for_each_pair(const run_header&, const results& found) {
  std::vector<table> tables;
  for (const auto& pair : pairs_of(found)) tables.push_back(table_of(found, pair));
  return one_below_another(tables);
}

template <table (*table_of)(const results&)>
std::string of_all(const run_header&, const results& found) {
  return captioned(table_of(found));
}

template <auto rows, auto table_of>
std::string for_each_row(const run_header&, const results& found) {
  std::vector<table> tables;
  for (const auto& row : found.*rows) tables.push_back(table_of(row));
  return one_below_another(tables);
}

// What the run says of its first pair.
std::string headline_text(const run_header&, const results& found) {
  auto first = found;
  std::erase_if(first.costs, [&](const cost_row& row) {
    return row.comparison != found.costs.front().comparison;
  });
  std::string text;
  for (const auto& sentence : headlines_of(first))
    text += (text.empty() ? "" : " ") + markdown_text(sentence) + ".";
  return text.empty() ? text : text + "\n";
}

std::string machine_text(const run_header& header, const results& found) {
  const auto& machine = header.machine;
  const auto& below = machine.virtualization;
  const bool is_virtual = !below.empty() && below != "none" && below != "unknown";
  const auto hosts = hosts_text(header);
  return fmt::format(
      "Measured on {} × {}{} with {}, {} and Boost {}; {}{}; noise grade {}; by {}.\n",
      machine.cpus, markdown_text(machine.cpu_model), is_virtual ? " under " + below : "",
      machine.kernel, machine.compiler, machine.boost_version,
      hosts.empty() ? "" : markdown_text(hosts) + "; ",
      found.checked ? count_text(static_cast<double>(*found.checked)) +
                          " replies compared byte by byte, none wrong"
                    : "not recorded how many replies were compared",
      found.noise ? std::string{found.noise->grade} : "unknown",
      markdown_code(printable(header.command_line)));
}

std::string summary_lines(const run_header&, const results& found) {
  return markdown_table(summary_table(found));
}

struct known_excerpt {
  std::string_view name;
  std::string (*text)(const run_header&, const results&);
};

constexpr std::array known_excerpts{
    known_excerpt{"headline", headline_text},
    known_excerpt{"machine", machine_text},
    known_excerpt{"summary", summary_lines},
    known_excerpt{"verdict", for_each_pair<verdict_table>},
    known_excerpt{"overhead", for_each_pair<overhead_table>},
    known_excerpt{"cost", for_each_pair<cost_table>},
    known_excerpt{"throughput", of_all<throughput_table>},
    known_excerpt{"throughput_ratio", for_each_pair<throughput_ratio_table>},
    known_excerpt{"latency", of_all<latency_table>},
    known_excerpt{"latency_ratio", for_each_pair<latency_ratio_table>},
    known_excerpt{"open_loop", of_all<open_loop_table>},
    known_excerpt{"part_load",
                  [](const run_header&, const results& found) {
                    std::vector<table> tables;
                    for (const auto& curve : curves_of(found)) {
                      tables.push_back(curve_cost_table(curve));
                      tables.push_back(curve_latency_table(curve));
                    }
                    return one_below_another(tables);
                  }},
    known_excerpt{"matrix", of_all<matrix_table>},
    known_excerpt{"hosts", of_all<host_table>},
    known_excerpt{"memory", of_all<memory_table>},
    known_excerpt{"kernel",
                  [](const run_header&, const results& found) {
                    return captioned(kernel_table(found.kernel));
                  }},
    known_excerpt{"block", for_each_row<&results::costs, block_table>},
    known_excerpt{"control", for_each_row<&results::controls, control_table>},
    known_excerpt{"server", [](const run_header& header,
                               const results&) { return captioned(server_table(header)); }},
};

}  // namespace

std::string accepted_excerpts() {
  std::vector<std::string_view> names;
  for (const auto& each : known_excerpts) names.push_back(each.name);
  return fmt::format("NAME [of SERVER against SERVER] [on LOAD,LOAD...] with a name of {}",
                     fmt::join(names, ", "));
}

std::string excerpt(const run_header& header, const results& found, std::string_view wanted) {
  const auto request = parse_request(wanted);
  const auto* known = std::find_if(known_excerpts.begin(), known_excerpts.end(),
                                   [&](const auto& each) { return each.name == request.name; });
  if (known == known_excerpts.end()) refuse_excerpt(wanted);
  expect_in_run(request, header);
  auto text = known->text(header, narrowed(found, request));
  if (text.empty())
    throw std::invalid_argument{fmt::format("the run has nothing to show for '{}'", wanted)};
  return text;
}

}  // namespace bench
