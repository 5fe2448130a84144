#include <bench/report/page/elements.hpp>

#include <fmt/format.h>

namespace bench {

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

std::string section(std::string_view title, std::string_view note, std::string_view content) {
  return element("section", element("h2", escaped(title)) +
                                element("p", escaped(note), "class=\"note\"").append(content));
}

std::string charted(std::string_view kind, std::string_view tables) {
  return element("div", "", fmt::format("class=\"charts\" data-charts=\"{}\"", kind)) +
         element("details",
                 element("summary", fmt::format("The numbers as a table: {}", kind)).append(tables),
                 "class=\"table\" open");
}

// On a narrow screen the style sheet stacks the cells, and browsers then forget what they were: the
// roles tell it to those who listen.
std::string html_table(const std::vector<column>& columns,
                       const std::vector<std::vector<std::string>>& rows,
                       std::string_view caption) {
  std::string head, body;
  for (const auto& each : columns)
    head += fmt::format("<th scope=\"col\" role=\"columnheader\" class=\"{}\">{}</th>", each.style,
                        escaped(each.heading));
  for (const auto& row : rows) {
    std::string cells;
    for (std::size_t i = 0; i < columns.size(); ++i)
      cells += i == 0 ? fmt::format("<th scope=\"row\" role=\"rowheader\">{}</th>", row[i])
                      : fmt::format("<td role=\"cell\" class=\"{}\" data-label=\"{}\">{}</td>",
                                    columns[i].style, escaped(columns[i].heading), row[i]);
    body += element("tr", cells, "role=\"row\"");
  }
  return element("table",
                 element("caption", escaped(caption)) +
                     element("thead", element("tr", head, "role=\"row\""), "role=\"rowgroup\"") +
                     element("tbody", body, "role=\"rowgroup\""),
                 "role=\"table\"");
}

std::string number_table(const std::vector<std::string>& columns,
                         const std::vector<std::vector<std::string>>& rows,
                         std::string_view caption) {
  std::string head, body;
  for (const auto& each : columns) head += fmt::format("<th>{}</th>", escaped(each));
  for (const auto& row : rows) {
    body += "<tr>";
    for (const auto& cell : row) body += fmt::format("<td>{}</td>", cell);
    body += "</tr>\n";
  }
  return element("table",
                 element("caption", escaped(caption)) + element("thead", element("tr", head)) +
                     element("tbody", body),
                 "class=\"numbers\"");
}

}  // namespace bench
