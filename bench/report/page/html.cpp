// report.html: one file that needs no network, no font, and no script to be read.
//
// The order is that of a sceptic's questions: what is the result and can I believe it (the first
// screen), what does it consist of, what did each block show, how do I repeat the run. Every number
// is in a table; the script, if this build has one, draws the numbers.
#include <fmt/format.h>

#include <bench/report/forms.hpp>
#include <bench/report/json.hpp>
#include <bench/report/page/elements.hpp>
#include <bench/report/page/first_screen.hpp>
#include <bench/report/page/packed.hpp>
#include <bench/report/page/script.hpp>
#include <bench/report/page/sections.hpp>
#include <bench/report/page/style.hpp>
#include <bench/report/page/words.hpp>
#include <bench/report/tables.hpp>
#include <bench/report/trust.hpp>
#include <bench/text/described_json.hpp>
#include <boost/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace bench {
namespace {

std::string joined(std::span<const std::string_view> parts) {
  std::string whole;
  for (const auto& part : parts) whole += part;
  return whole;
}

// A strict Content-Security-Policy: nothing is fetched, and only this page's scripts may run.
std::string policy(const page_script& script) {
  std::string scripts;
  for (const auto& digest : {script.digest, script.unpacked_digest})
    if (!digest.empty()) scripts += fmt::format(" '{}'", digest);
  return fmt::format(
      "default-src 'none'; {}style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
      "form-action 'none'",
      scripts.empty() ? "" : fmt::format("script-src{}; ", scripts));
}

std::string facts_html(const std::vector<fact>& facts, std::string_view style) {
  std::string items;
  for (const auto& each : facts)
    items += element("div",
                     element("dt", escaped(each.label)) +
                         element("dd", each.label == "Command" ? element("code", escaped(each.text))
                                                               : escaped_sentence(each.text)));
  return element("dl", items, fmt::format("class=\"{}\"", style));
}

std::string caveats_html(const results& found) {
  if (found.caveats.empty())
    return element("div", "<b>Caveats:</b> none.", "class=\"caveats none\"");
  std::string items;
  for (const auto& each : sentences_of(found.caveats)) items += element("li", escaped(each));
  return element("div", "<b>Caveats</b>" + element("ul", items), "class=\"caveats\"");
}

// The A/A control with every block.
std::string control_html(const results& found) {
  std::string tables;
  for (const auto& each : found.controls) tables += html_table(control_table(each));
  return tables.empty() ? tables : charted("control", tables);
}

part trust(const run_header& header, const results& found) {
  return open_part(
      "trust", "What the run says about itself",
      "Caveats, and what was done to find out whether the numbers hold.",
      caveats_html(found) + facts_html(trust_facts(header, found), "facts") + control_html(found));
}

part environment(const run_header& header) {
  return folded_part(
      "environment", "Environment and commands", "What it takes to have this run again.",
      facts_html(environment_facts(header), "facts") + html_table(server_table(header)));
}

part words(const results& found) {
  return folded_part("words", "Words", "What the words and the short names of the loads mean.",
                     glossary_html(found));
}

part downloads(const page_script& script) {
  if (script.parts.empty())
    return open_part("data", "Charts and downloads",
                     fmt::format("The page has its tables and no charts: {}. report.json and "
                                 "report.csv lie beside this file.",
                                 script.missing_because),
                     "");
  return folded_part(
      "data", "Data and licences",
      "The same numbers for programs; both files lie beside this one, too. Everything here is a "
      "view of run.ndjson.",
      element(
          "div",
          element("p", "", "id=\"downloads\"") +
              element("noscript",
                      "<p>Charts and downloads need JavaScript; the tables "
                      "above hold the same numbers.</p>") +
              (script.licences.empty()
                   ? ""
                   : element("p", "The charts are drawn by these packages.", "class=\"note\"") +
                         folded("The licences", element("pre", escaped(joined(script.licences))))),
          "class=\"of-the-file\""));
}

// JSON for the page's script. Escapes < so that the data cannot end the script element.
std::string data_element(std::string_view id, std::string_view json) {
  std::string safe;
  for (const char each : json) safe += each == '<' ? "\\u003c" : std::string{each};
  return element("script", safe, fmt::format("type=\"application/json\" id=\"{}\"", id));
}

std::string scripts_html(const page_script& script, const run_header& header,
                         const results& found) {
  if (script.parts.empty()) return {};
  const auto report = packed_json(boost::json::parse(json_report_line(header, found)));
  const auto csv = boost::json::string(packed_lines(csv_report(header, found)));
  return data_element("report", json_text(report)) +
         data_element("report-csv", boost::json::serialize(csv)) +
         element("script", joined(script.packed), "type=\"text/plain\" id=\"packed-script\"") +
         element("script", joined(script.parts));
}

// It stands open until the page's script folds it where it would take the room of the answer.
std::string contents(const std::vector<part>& parts) {
  std::string lines = element("li", "<a href=\"#top\">The answer</a>");
  for (const auto& each : parts)
    lines += element("li", fmt::format("<a href=\"#{}\">{}</a>", each.id, escaped(each.title)));
  return element("nav",
                 element("details", element("summary", "Contents") + element("ul", lines), "open"),
                 "class=\"contents\" aria-label=\"Contents\"");
}

std::string body_html(const page_script& script, const run_header& header, const results& found) {
  const bool has_charts = !script.parts.empty();
  auto parts = measurements(found, has_charts);
  parts.insert(parts.begin(), trust(header, found));
  if (auto matrix = servers(found); !matrix.html.empty()) parts.insert(parts.begin(), matrix);
  parts.insert(parts.end(), {environment(header), words(found), downloads(script)});
  auto body = first_screen(header, found, has_charts);
  for (const auto& each : parts) body += each.html;
  return contents(parts) + element("main", body, "id=\"top\"") +
         scripts_html(script, header, found);
}

}  // namespace

std::string html_report(const run_header& header, const results& found, const page_script& script) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
      policy(script), "echobench, " + escaped(header.started_utc), report_style,
      body_html(script, header, found));
}

}  // namespace bench
