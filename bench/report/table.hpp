// table: what a report shows in rows and columns, before a form has written it.
//
//     table shown{.title = "Latency", .columns = {{"scenario"}, {"p50, µs", "p50"}}};
//     shown.rows.push_back({"c64/512", {"55.2 [40.1, 70.0]", "55.2"}});
//
// A form has a head, a row and a frame; which columns there are and how a number is written is none
// of its business. Where there is little room, as on a terminal, it writes what is brief.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace bench {

// What the cells of a column are, so that a form can align and mark them.
enum class column_kind { number, name, word, code, verdict };

struct column {
  std::string heading;
  std::string brief = {};  // the heading where there is little room; empty: left out there
  column_kind kind = column_kind::number;
};

inline const column scenario_column{"scenario", "scenario", column_kind::code};
inline const column server_column{"server", "server", column_kind::name};

// The same in two lengths.
struct cell {
  cell(const char* both) : cell{std::string{both}} {}
  cell(const std::string& both) : text{both}, brief{both} {}
  cell(std::string whole, std::string short_form)
      : text{std::move(whole)}, brief{std::move(short_form)} {}

  std::string text;
  std::string brief;
};

struct table {
  std::string title = {};
  std::string note = {};  // how to read it, in sentences; empty: the title says it
  std::vector<column> columns = {};
  std::vector<std::vector<cell>> rows = {};
};

}  // namespace bench
