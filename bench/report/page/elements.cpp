#include <bench/report/page/elements.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bench/report/page/words.hpp>
#include <map>
#include <utility>

namespace bench {
namespace {

constexpr std::size_t most_columns = 6;  // with more columns a page has no room for intervals

std::string caption_of(const table& shown) {
  return element("caption",
                 escaped(shown.note.empty() ? shown.title : shown.title + ". " + shown.note));
}

// A verdict has a symbol and a word, so that it does not depend on colour.
std::string verdict_html(const cell& said) {
  using symbol = std::pair<std::string_view, std::string_view>;
  constexpr std::array<symbol, 7> symbols{{{"equivalent", "≈"},
                                           {"lower", "▼"},
                                           {"higher", "▲"},
                                           {"tiny", "·"},
                                           {"inconclusive", "?"},
                                           {"conflict", "⚠"},
                                           {"n/a", "–"}}};
  const auto& word = said.brief;
  const auto* found = std::find_if(symbols.begin(), symbols.end(),
                                   [&](const auto& each) { return each.first == word; });
  const auto rest = said.text.starts_with(word) ? said.text.substr(word.size()) : ": " + said.text;
  return fmt::format("<span><span class=\"verdict {}\">{} {}</span>{}</span>", word,
                     found == symbols.end() ? "" : found->second, word, escaped_sentence(rest));
}

// True for the words that say why there is no number.
bool is_reason(const column& in, const cell& shown) {
  return in.kind == column_kind::number && shown.brief == "n/a" && shown.text != shown.brief;
}

std::string content_of(const column& in, const cell& shown, bool brief) {
  if (in.kind == column_kind::verdict) return verdict_html(shown);
  const bool is_brief = brief && in.kind == column_kind::number && !is_reason(in, shown);
  const auto text = escaped(is_brief ? shown.brief : shown.text);
  return in.kind == column_kind::code ? element("code", text) : text;
}

std::string_view style_of(const column& shown) {
  return shown.kind == column_kind::number ? " class=\"number\"" : "";
}

std::string_view style_of(const column& in, const cell& shown) {
  return is_reason(in, shown) ? " class=\"why\"" : style_of(in);
}

bool has_only_numbers(const table& shown) {
  return std::all_of(shown.columns.begin(), shown.columns.end(),
                     [](const column& each) { return each.kind == column_kind::number; });
}

// Letters and digits, because other characters would be escaped in an address.
std::string id_of(std::string_view text) {
  std::string id;
  for (const char each : text) {
    const bool plain = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
                       (each >= '0' && each <= '9');
    if (plain) id += each;
    if (!plain && !id.ends_with('-')) id += '-';
  }
  return id.ends_with('-') ? id.substr(0, id.size() - 1) : id;
}

// The place, the load and the other words that tell the row from its neighbours.
std::string row_id(const table& shown, const std::vector<cell>& row, std::string_view place) {
  auto id = fmt::format("row-{}", place);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto& in = shown.columns[i];
    const bool tells = i == 0 || in.heading == server_column.heading ||
                       in.heading == host_column.heading ||
                       (in.kind == column_kind::word && row[i].text.size() < 8);
    if (tells) id += "-" + row[i].text;
  }
  return id_of(id);
}

std::string name_of_row(const table& shown, const cell& name, load_names names) {
  if (names == load_names::brief || shown.columns.front().heading != scenario_column.heading)
    return escaped(name.text);
  return escaped(load_words(scenario::parse(name.text))) + " " +
         element("code", escaped(name.text));
}

// On a narrow screen the style sheet stacks the cells with `display: block`, and browsers then drop
// their table semantics. The ARIA roles restore them for screen readers.
std::string stacking_row(const table& shown, const std::vector<cell>& row, const std::string& id,
                         load_names names) {
  const auto& columns = shown.columns;
  const bool brief = columns.size() > most_columns;
  auto cells = fmt::format("<th scope=\"row\" role=\"rowheader\">{}</th>",
                           name_of_row(shown, row.front(), names));
  for (std::size_t i = 1; i < row.size(); ++i)
    cells +=
        fmt::format("<td role=\"cell\"{} data-label=\"{}\">{}</td>", style_of(columns[i], row[i]),
                    escaped(columns[i].heading), content_of(columns[i], row[i], brief));
  return element("tr", cells, "role=\"row\"" + (id.empty() ? "" : fmt::format(" id=\"{}\"", id)));
}

// Without attributes, to save bytes.
std::string number_row(const std::vector<cell>& row) {
  std::string cells;
  for (const auto& each : row) cells += fmt::format("<td>{}</td>", each.text);
  return element("tr", cells);
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char each : text) {
    switch (each) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += each;
    }
  }
  return result;
}

std::string escaped_sentence(std::string_view text) {
  std::string result;
  bool in_brackets = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[' || text[i] == ']') in_brackets = text[i] == '[';
    const bool stays = in_brackets || text.substr(i + 1).starts_with('%');
    result += stays && text[i] == ' ' ? "&nbsp;" : escaped(text.substr(i, 1));
  }
  return result;
}

std::string element(std::string_view name, std::string_view content, std::string_view attributes) {
  return fmt::format("<{}{}{}>{}</{}>\n", name, attributes.empty() ? "" : " ", attributes, content,
                     name);
}

part open_part(std::string_view id, std::string_view title, std::string_view note,
               std::string_view content) {
  return {std::string{id}, std::string{title},
          element("section",
                  element("h2", escaped(title)) +
                      element("p", escaped(note), "class=\"note\"").append(content),
                  fmt::format("id=\"{}\"", id))};
}

part folded_part(std::string_view id, std::string_view title, std::string_view note,
                 std::string_view content) {
  const auto head =
      element("h2", escaped(title)) + element("span", escaped(note), "class=\"note\"");
  return {
      std::string{id}, std::string{title},
      element("section",
              element("details", element("summary", head).append(content), "class=\"part\" open"),
              fmt::format("id=\"{}\"", id))};
}

std::string folded(std::string_view summary, std::string_view content) {
  return element("details", element("summary", escaped(summary)).append(content),
                 "class=\"fold\" open");
}

std::string charted(std::string_view kind, std::string_view tables) {
  return element("div", "", fmt::format("class=\"charts\" data-charts=\"{}\"", kind)) +
         element("details", element("summary", "The numbers as a table").append(tables),
                 "class=\"table\" open");
}

std::string html_table(const table& shown, std::string_view place, load_names names) {
  if (shown.rows.empty()) return {};
  const bool stacks = !has_only_numbers(shown);
  std::string head, body;
  for (const auto& each : shown.columns)
    head += fmt::format("<th scope=\"col\"{}{}>{}</th>", stacks ? " role=\"columnheader\"" : "",
                        stacks ? style_of(each) : "", escaped(each.heading));
  std::map<std::string, int> rows_of;  // two pairs may have a row of the same server
  for (const auto& row : shown.rows) {
    auto id = place.empty() || !stacks ? "" : row_id(shown, row, place);
    if (const int before = rows_of[id]++; before > 0 && !id.empty())
      id += fmt::format("-{}", before + 1);
    body += stacks ? stacking_row(shown, row, id, names) : number_row(row);
  }
  const auto* group = stacks ? "role=\"rowgroup\"" : "";
  return element("table",
                 caption_of(shown) +
                     element("thead", element("tr", head, stacks ? "role=\"row\"" : ""), group) +
                     element("tbody", body, group),
                 stacks ? "role=\"table\"" : "class=\"numbers\"");
}

}  // namespace bench
