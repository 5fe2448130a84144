// The table of all servers side by side.
#include <fmt/format.h>

#include <algorithm>
#include <bench/report/tables.hpp>
#include <bench/report/trust.hpp>
#include <bench/text/numbers.hpp>
#include <string>
#include <vector>

namespace bench {
namespace {

// What was left out has one reason, which stands in the column of the contract.
cell number_cell(const matrix_row& row, const matrix_cell& of, number_text number) {
  if (of.missing.empty()) return value_cell(of.number, number);
  return row.broken ? cell{"n/a"} : cell{"n/a: " + of.missing, "n/a"};
}

cell contract_cell(const matrix_row& row) {
  return row.broken ? cell{"no: " + *row.broken, "no"} : cell{"yes"};
}

cell ratio_cell(const matrix_row& row) {
  if (row.server == row.base) return "base";
  return row.cpu_ratio.missing.empty() ? interval_cell(row.cpu_ratio.number, ratio_text)
                                       : number_cell(row, row.cpu_ratio, ratio_text);
}

cell verdict_cell(const matrix_row& row) {
  return row.verdict ? std::string{word_of(row.verdict->what)} : "";
}

cell throughput_cell(const matrix_row& row) {
  const auto shown = number_cell(row, row.messages_per_second, count_text);
  if (!row.client_limited) return shown;
  return {shown.text + ", client-limited", ">" + shown.brief};
}

// A slope has no interval.
cell memory_cell(const matrix_row& row) {
  const auto& of = row.kib_per_connection;
  return of.missing.empty() ? cell{kib_text(of.number.value)} : number_cell(row, of, kib_text);
}

std::string name_of_load(const scenario& open_loop) {
  return open_loop.rate_percent == 50 ? "half load" : open_loop.text();
}

// At which rate messages are due.
std::string rate_words(const scenario& open_loop, const std::string& base) {
  if (open_loop.rate_percent == 0) return "at the same rate for all";
  const auto share = open_loop.rate_percent == 50 ? std::string{"half of"}
                                                  : fmt::format("{} % of", open_loop.rate_percent);
  return fmt::format("at {} what the server reaches alone, or {} if that is less", share, base);
}

std::string note_of(const std::vector<matrix_row>& rows) {
  const auto& first = rows.front();
  auto note = fmt::format(
      "Contract: the server starts, listens and answers every byte as it should. Ratio: its CPU "
      "per message "
      "over that of {}, in the same blocks.",
      first.base);
  if (first.open_loop)
    note += fmt::format(
        " {}: messages are due {}; that rate stands beside the p99, which counts "
        "from when a message was due.",
        first.open_loop->rate_percent == 50 ? fmt::format("Half load ({})", first.open_loop->text())
                                            : first.open_loop->text(),
        rate_words(*first.open_loop, first.base));
  if (std::any_of(rows.begin(), rows.end(), [](const auto& row) { return row.client_limited; }))
    note += " Client-limited, or >: the server may do more.";
  return note;
}

}  // namespace

table matrix_table(const results& found) {
  if (!found.matrix || found.matrix->empty()) return {};
  const auto& rows = *found.matrix;
  const auto& first = rows.front();
  table shown{.title = fmt::format("All servers on {}", first.scenario.text()),
              .note = note_of(rows),
              .columns = {server_column,
                          {"contract", "contract", column_kind::word},
                          {"CPU, ns", "CPU, ns"},
                          {"ratio [95 %]"},
                          {"verdict", "", column_kind::word},
                          {"messages/s", "messages/s"},
                          {"KiB/connection", "KiB"}}};
  if (first.open_loop) {
    const auto load = name_of_load(*first.open_loop);
    shown.columns.push_back(
        {fmt::format("p99 at {}, µs", load), load == "half load" ? "p99 at half" : "p99, µs"});
    shown.columns.push_back({"due/s", "due/s"});
  }
  for (const auto& row : rows) {
    auto& line = shown.rows.emplace_back();
    line.assign({row.server, contract_cell(row), number_cell(row, row.cpu_ns, ns_text),
                 ratio_cell(row), verdict_cell(row), throughput_cell(row), memory_cell(row)});
    if (!first.open_loop) continue;
    line.push_back(number_cell(row, row.p99_us, microseconds_text));
    line.push_back(value_cell(row.rate_per_second, count_text));
  }
  return shown;
}

}  // namespace bench
