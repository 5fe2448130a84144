// report.html: one file that needs no network, no font, and no script to be read.
//
// The order is that of a sceptic's questions: what is the result, can I trust it, what does it
// consist of, what did each block show, how do I repeat the run. Every number is in a table; the
// script, if this build has one, draws the numbers.
#include <fmt/format.h>

#include <bench/report/forms.hpp>
#include <bench/report/json.hpp>
#include <bench/report/page/elements.hpp>
#include <bench/report/page/script.hpp>
#include <bench/report/page/sections.hpp>
#include <bench/report/page/style.hpp>
#include <bench/report/tables.hpp>
#include <bench/report/trust.hpp>
#include <boost/json.hpp>
#include <span>
#include <string>

namespace bench {
namespace {

std::string joined(std::span<const std::string_view> parts) {
  std::string whole;
  for (const auto& part : parts) whole += part;
  return whole;
}

// A strict Content-Security-Policy: nothing is fetched, and only this page's script may run.
std::string policy(const page_script& script) {
  return fmt::format(
      "default-src 'none'; {}style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
      "form-action 'none'",
      script.parts.empty() ? "" : fmt::format("script-src '{}'; ", script.digest));
}

std::string opening(const run_header& header, const results& found, bool has_charts) {
  auto text = element(
      "p", escaped(fmt::format("echobench, suite {}, {}", header.suite, header.started_utc)),
      "class=\"origin\"");
  if (found.headlines.empty()) return text + element("h1", "No block was measured.");
  text += element("h1", escaped_sentence(found.headlines.front() + "."));
  for (std::size_t i = 1; i < found.headlines.size(); ++i)
    text += element("p", escaped_sentence(found.headlines[i] + "."), "class=\"lead\"");
  std::string tables;
  for (const auto& pair : pairs_of(found)) tables += html_table(verdict_table(found, pair));
  return element("header", text) +
         element("section",
                 element("p",
                         has_charts
                             ? "Each mark is a ratio of CPU per message, each line its exact 95 % "
                               "interval. Left of 1 the first server uses less; shaded is the "
                               "margin below which a difference is not called one."
                             : "Each ratio is one of CPU per message, in brackets its exact 95 % "
                               "interval. Below 1 the first server uses less; a difference below "
                               "the margin is not called one.",
                         "class=\"note\"") +
                     charted("forest", tables));
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

// The noise grade as a letter and a word.
std::string grade_html(const results& found) {
  if (!found.noise) return element("p", "<b>?</b> noise unknown", "class=\"grade\"");
  const char letter = found.noise->grade;
  const auto* word = letter == 'A'   ? "steady: equal servers read alike"
                     : letter == 'B' ? "fairly steady"
                     : letter == 'C' ? "unsteady"
                                     : "too unsteady for a gate";
  return element("p", fmt::format("<b>{}</b> {}", letter, word),
                 fmt::format("class=\"grade {}\"", letter));
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

std::string reading_guide() {
  return element(
      "p",
      "The unit is the block: fresh launches of all servers of a row, loaded at once on one core "
      "while the bare loop rides along. A ratio is the Hodges-Lehmann estimate over the blocks, in "
      "brackets its exact 95 % signed-rank interval. A verdict needs the whole interval: "
      "“equivalent” means inside the margin, “inconclusive” means that the data allow both. "
      "Levels move from day to day; ratios and nanoseconds above the floor travel better. "
      "Everything here is a view of run.ndjson beside this file.",
      "class=\"note\"");
}

std::string downloads_html(const page_script& script) {
  if (script.parts.empty())
    return section("Charts and downloads",
                   fmt::format("The page has its tables and no charts: {}. report.json and "
                               "report.csv lie beside this file.",
                               script.missing_because),
                   "");
  return element(
      "div",
      section("Data", "The same numbers for programs; both files lie beside this one, too.",
              element("p", "", "id=\"downloads\"") +
                  element("noscript",
                          "<p>Charts and downloads need JavaScript; the tables "
                          "above hold the same numbers.</p>")),
      "class=\"of-the-file\"");
}

std::string licences_html(const page_script& script) {
  if (script.licences.empty()) return {};
  return element("section",
                 element("h2", "Licences") +
                     element("p", "The charts are drawn by these packages.", "class=\"note\"") +
                     element("details", element("summary", "Show the licences") +
                                            element("pre", escaped(joined(script.licences)))),
                 "class=\"of-the-file\"");
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
  return data_element("report", json_report_line(header, found)) +
         data_element("report-csv",
                      boost::json::serialize(boost::json::string(csv_report(header, found)))) +
         element("script", joined(script.parts));
}

std::string body_html(const page_script& script, const run_header& header, const results& found) {
  const bool has_charts = !script.parts.empty();
  auto body = opening(header, found, has_charts);
  body += section("Can I trust this?", "What the run says about itself.",
                  grade_html(found) + caveats_html(found) +
                      facts_html(trust_facts(header, found), "cards") + control_html(found));
  body += measurements(found, has_charts);
  body += section("Environment and commands", "What it takes to have this run again.",
                  facts_html(environment_facts(header), "facts") +
                      html_table(server_table(header)) + reading_guide());
  body += downloads_html(script) + licences_html(script);
  return element("main", body) + scripts_html(script, header, found);
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
