// table: rows and columns of a report, independent of the form that prints them.
//
//     table shown{.title = "Latency", .columns = {{"scenario"}, {"p50, µs", "p50"}}};
//     shown.rows.push_back({"c64/512", {"55.2 [40.1, 70.0]", "55.2"}});
//
// A form knows how to print a header, a row and a frame. The table decides which columns there are
// and how numbers are written. A form with little room, such as the terminal, uses the brief texts.
#pragma once

#include <bench/statistics/statistics.hpp>
#include <string>
#include <utility>
#include <vector>

namespace bench {

// What the cells of a column contain; forms align and mark them accordingly. `marked` is words that
// this program wrote, with code spans of Markdown.
enum class column_kind { number, name, word, marked, code, verdict };

struct column {
  std::string heading;
  std::string brief = {};  // heading where there is little room; empty: column left out there
  column_kind kind = column_kind::number;
};

inline const column scenario_column{"scenario", "scenario", column_kind::code};
inline const column server_column{"server", "server", column_kind::name};
inline const column host_column{"host", "host", column_kind::name};

// The same content in two lengths.
struct cell {
  cell(const char* both) : cell{std::string{both}} {}
  cell(const std::string& both) : text{both}, brief{both} {}
  cell(std::string whole, std::string short_form)
      : text{std::move(whole)}, brief{std::move(short_form)} {}

  std::string text;
  std::string brief;
};

// How a number is written: one of the functions of bench/text/numbers.hpp.
using number_text = std::string (*)(double);

// The value with its interval; brief: the value only. Without blocks: "n/a".
cell value_cell(const estimate& shown, number_text number);

// The value with its interval; brief: the same, without the words that replace a missing interval.
cell interval_cell(const estimate& shown, number_text number);

struct table {
  std::string title = {};
  std::string note = {};  // how to read the table, in sentences; may be empty
  std::vector<column> columns = {};
  std::vector<std::vector<cell>> rows = {};
};

}  // namespace bench
