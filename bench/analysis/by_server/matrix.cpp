#include <bench/analysis/by_server/matrix.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/server/catalogue.hpp>
#include <bench/text/numbers.hpp>
#include <string>
#include <string_view>

namespace bench {
namespace {

constexpr std::size_t fewest_servers = 3;

bool is_bare_loop(const std::string& server) {
  return server.starts_with("floor/") || server.starts_with("old/floor/");
}

// --- which servers

std::vector<comparison> pairs_without_controls(const run_header& header) {
  auto pairs = header.comparisons;
  std::erase_if(pairs, is_injected);
  return pairs;
}

std::vector<std::string> servers_in(const std::vector<comparison>& pairs) {
  std::vector<std::string> names;
  for (const auto& pair : pairs)
    for (const auto& name : {pair.base, pair.contender})
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  return names;
}

bool is_compared_with_all(const std::string& base, const std::vector<std::string>& servers,
                          const std::vector<comparison>& pairs) {
  return std::all_of(servers.begin(), servers.end(), [&](const std::string& server) {
    return server == base || std::any_of(pairs.begin(), pairs.end(), [&](const comparison& pair) {
             return pair.base == base && pair.contender == server;
           });
  });
}

std::vector<const caveats::server_missing*> missing_servers(const results& found) {
  std::vector<const caveats::server_missing*> missing;
  for (const auto& each : found.caveats)
    if (const auto* left_out = std::get_if<caveats::server_missing>(&each))
      if (!is_bare_loop(left_out->server)) missing.push_back(left_out);
  return missing;
}

// --- what is known of one, and why not

matrix_cell known(const estimate& number, const std::string& else_because) {
  return {number, number.n > 0 ? "" : else_because};
}

// "n/a: the run is void" as "the run is void".
std::string reason_in(const verdict& said) {
  constexpr std::string_view mark = "n/a: ";
  return said.words.starts_with(mark) ? said.words.substr(mark.size()) : said.words;
}

// "mine: wrong reply" as "wrong reply": the row has the name already.
std::string without_name(const std::string& reason, const std::string& server) {
  const auto name = server + ": ";
  return reason.starts_with(name) ? reason.substr(name.size()) : reason;
}

// What is known against a server that was measured; empty: nothing.
std::string breach_of(const std::string& server, const results& found) {
  for (const auto& each : found.caveats) {
    if (const auto* wrong = std::get_if<caveats::run_void>(&each);
        wrong && (wrong->reason.starts_with(server + ": ") ||
                  wrong->reason.starts_with(server + " does not echo")))
      return without_name(wrong->reason, server);
    if (const auto* ended = std::get_if<caveats::memory_cut_short>(&each);
        ended && ended->server == server)
      return fmt::format("with {} connections {}", ended->connections, ended->reason);
  }
  return {};
}

matrix_cell memory_of(const std::string& server, const results& found) {
  std::string why = "it was not measured";
  for (const auto& row : found.memory) {
    if (row.server != server) continue;
    if (row.kib_per_connection)
      return {{*row.kib_per_connection, {}, static_cast<int>(row.samples.size())}, ""};
    if (!row.samples.empty()) why = "it takes two numbers of connections, and one was reached";
  }
  for (const auto& each : found.caveats) {
    const auto* elsewhere = std::get_if<caveats::cpu_elsewhere>(&each);
    if (elsewhere && elsewhere->server == server) why = "its processes are unknown here";
    const auto* target = std::get_if<caveats::not_started_here>(&each);
    if (target && target->server == server) why = "it was not started here";
  }
  return {{}, why};
}

template <class Row>
const Row* row_of(const std::vector<Row>& rows, const scenario& load, const comparison& pair) {
  for (const auto& row : rows)
    if (row.scenario == load && row.comparison == pair) return &row;
  return nullptr;
}

template <class Row>
const auto& side_of(const Row& row, const std::string& server) {
  return row.comparison.base == server ? row.base : row.contender;
}

void add_open_loop(matrix_row& row, const open_row* open) {
  if (open == nullptr) {
    row.p99_us.missing = "no block of it was measured";
    return;
  }
  const auto& side = side_of(*open, row.server);
  row.rate_per_second = open->rate_per_second;
  row.p99_us = side.saturated
                   ? matrix_cell{{}, "saturated, it answered " + percent_text(side.answered)}
                   : known(side.response_p99_us, "no block of it has replies");
}

// --- the rows

class matrix_builder {
 public:
  matrix_builder(const results& found, const std::string& base,
                 const std::vector<comparison>& pairs)
      : found_{found}, base_{base} {
    for (const auto& pair : pairs)
      if (pair.base == base) pairs_.push_back(pair);
    load_ = load();
    if (load_) open_loop_ = open_loop();
  }

  std::optional<std::vector<matrix_row>> rows() const {
    if (!load_) return std::nullopt;
    std::vector<matrix_row> rows;
    for (const auto& pair : pairs_)
      if (is_bare_loop(pair.contender)) rows.push_back(contender_row(pair));
    rows.push_back(base_row());
    for (const auto& pair : pairs_)
      if (!is_bare_loop(pair.contender)) rows.push_back(contender_row(pair));
    for (const auto* each : missing_servers(found_)) rows.push_back(missing_row(*each));
    return rows;
  }

 private:
  // The headline's load, or else the first one under which CPU was counted.
  std::optional<scenario> load() const {
    std::optional<scenario> first;
    for (const auto& row : found_.costs) {
      if (row.comparison.base != base_ || is_injected(row.comparison)) continue;
      if (row.scenario.text() == headline_scenario) return row.scenario;
      if (!first) first = row.scenario;
    }
    return first;
  }

  // Half of the rate of the same load, or else the first open loop of the run.
  std::optional<scenario> open_loop() const {
    auto half = *load_;
    half.rate_percent = 50;
    std::optional<scenario> first;
    for (const auto& row : found_.open_loops) {
      if (row.comparison.base != base_) continue;
      if (row.scenario == half) return half;
      if (!first) first = row.scenario;
    }
    return first;
  }

  matrix_row empty_row(const std::string& server) const {
    matrix_row row;
    row.scenario = *load_;
    row.base = base_;
    row.server = server;
    row.open_loop = open_loop_;
    return row;
  }

  matrix_row row_from(const std::string& server, const comparison& pair) const {
    auto row = empty_row(server);
    if (auto breach = breach_of(server, found_); !breach.empty()) row.broken = std::move(breach);
    const auto unmeasured = fmt::format("no block of {} was measured", load_->text());
    row.cpu_ns.missing = row.messages_per_second.missing = unmeasured;
    if (const auto* cost = row_of(found_.costs, *load_, pair))
      row.cpu_ns = known(side_of(*cost, server).cpu_ns, why_no_cpu(*cost));
    if (const auto* alone = row_of(found_.loads, *load_, pair)) {
      const auto& side = side_of(*alone, server);
      row.messages_per_second = known(side.messages_per_second, "no block of it has replies");
      row.client_limited = side.client_limited;
    }
    row.kib_per_connection = memory_of(server, found_);
    return row;
  }

  static std::string why_no_cpu(const cost_row& cost) {
    return cost.verdict.what == finding::unmeasured ? reason_in(cost.verdict)
                                                    : "no block counted its CPU";
  }

  matrix_row contender_row(const comparison& pair) const {
    auto row = row_from(pair.contender, pair);
    row.cpu_ratio.missing = row.cpu_ns.missing;
    if (const auto* cost = row_of(found_.costs, *load_, pair)) {
      row.verdict = cost->verdict;
      row.cpu_ratio = cost->verdict.what == finding::unmeasured
                          ? matrix_cell{{}, reason_in(cost->verdict)}
                          : known(cost->ratio, "no block counted the CPU of both");
    }
    if (open_loop_) add_open_loop(row, row_of(found_.open_loops, *open_loop_, pair));
    return row;
  }

  // From the first comparison; its latency from the one with the highest rate.
  matrix_row base_row() const {
    auto row = row_from(base_, pairs_.front());
    row.cpu_ratio.missing = "the others are compared with it";
    if (!open_loop_) return row;
    const open_row* fastest = nullptr;
    for (const auto& pair : pairs_) {
      const auto* open = row_of(found_.open_loops, *open_loop_, pair);
      if (open && (!fastest || open->rate_per_second.value > fastest->rate_per_second.value))
        fastest = open;
    }
    add_open_loop(row, fastest);
    return row;
  }

  matrix_row missing_row(const caveats::server_missing& left_out) const {
    auto row = empty_row(left_out.server);
    row.broken = without_name(left_out.reason, left_out.server);
    for (auto* each : {&row.cpu_ns, &row.cpu_ratio, &row.messages_per_second,
                       &row.kib_per_connection, &row.p99_us})
      each->missing = "it was left out";
    return row;
  }

  const results& found_;
  std::string base_;
  std::vector<comparison> pairs_;
  std::optional<scenario> load_;
  std::optional<scenario> open_loop_;
};

}  // namespace

std::optional<std::vector<matrix_row>> matrix_of(const results& found, const run_record& record) {
  const auto pairs = pairs_without_controls(record.header);
  const auto servers = servers_in(pairs);
  auto count = servers.size() - static_cast<std::size_t>(
                                    std::count_if(servers.begin(), servers.end(), is_bare_loop));
  for (const auto* each : missing_servers(found)) count += package_of(each->server) ? 1 : 0;
  if (count < fewest_servers) return std::nullopt;
  for (const auto& base : servers)
    if (is_compared_with_all(base, servers, pairs))
      return matrix_builder{found, base, pairs}.rows();
  return std::nullopt;
}

}  // namespace bench
