#include <bench/report/page/first_screen.hpp>

#include <fmt/format.h>

#include <bench/record/caveats.hpp>
#include <bench/report/by_host/host_table.hpp>
#include <bench/report/page/elements.hpp>
#include <bench/report/page/words.hpp>
#include <bench/report/tables.hpp>
#include <bench/report/trust.hpp>
#include <bench/text/numbers.hpp>

namespace bench {
namespace {

constexpr std::size_t most_answers = 3;  // the others are folded

std::string sentence(const std::string& headline, const results& found) {
  return escaped_sentence(in_words(headline, found) + ".");
}

std::string answers(const run_header& header, const results& found) {
  const auto origin = element(
      "p", escaped(fmt::format("echobench, suite {}, {}", header.suite, header.started_utc)),
      "class=\"origin\"");
  if (found.headlines.empty())
    return element("header", origin + element("h1", "No block was measured."));
  auto text = origin + element("h1", sentence(found.headlines.front(), found));
  std::string others;
  for (std::size_t i = 1; i < found.headlines.size(); ++i)
    (i < most_answers ? text : others) +=
        element("p", sentence(found.headlines[i], found), "class=\"lead\"");
  if (!others.empty()) text += folded("What it says of the other servers", others);
  return element("header", text);
}

// Says what stands in the sentences above it, with a link to the words that are left.
std::string reading_guide(bool has_charts) {
  return element(
      "p",
      fmt::format(
          "Two programs that echo messages were given the same load. <b>CPU per message</b> is the "
          "processor time that a server takes for one request and its reply; {} In brackets stands "
          "the <a href=\"#words\">95&nbsp;% interval</a>: where the true value lies. The "
          "<a href=\"#words\">bare loop</a> is the same server without any library.",
          has_charts ? "left of the line of 1.00 the first server takes less. Lines are intervals; "
                       "a difference within the shaded <a href=\"#words\">margin</a> is not called "
                       "one."
                     : "below 1 the first server takes less. A difference below the "
                       "<a href=\"#words\">margin</a> is not called one."),
      "class=\"note\"");
}

std::string grade_words(char grade) {
  return grade == 'A'   ? "steady: equal servers read alike"
         : grade == 'B' ? "fairly steady"
         : grade == 'C' ? "unsteady"
                        : "too unsteady for a gate";
}

// The noise grade as a letter and a word.
std::string grade_html(const results& found) {
  if (!found.noise) return element("p", "<b>?</b> noise unknown", "class=\"grade\"");
  return element("p",
                 fmt::format("<b>{}</b> {}", found.noise->grade, grade_words(found.noise->grade)),
                 fmt::format("class=\"grade {}\"", found.noise->grade));
}

std::string noise_line(const results& found) {
  if (!found.noise) return "No server was measured against itself.";
  return fmt::format("A server measured against itself: {} apart.",
                     percent_text(found.noise->spread));
}

std::string caveats_line(const results& found) {
  const auto count = sentences_of(found.caveats).size();
  if (count == 0) return "No caveats.";
  return fmt::format("<a href=\"#trust\">{}: read {}</a>",
                     count == 1 ? "1 caveat" : fmt::format("{} caveats", count),
                     count == 1 ? "it" : "them");
}

// Empty: the load came from this machine, and the servers ran on it.
std::string hosts_line(const run_header& header) {
  auto text = hosts_text(header);
  if (text.empty()) return {};
  text.front() = text.front() == 'l' ? 'L' : 'S';
  return element("li", escaped(text) + ".");
}

// In short; the section "What the run says about itself" has all of it.
std::string trust_card(const run_header& header, const results& found) {
  auto lines = element("li", noise_line(found));
  for (const auto& each : trust_facts(header, found))
    if (each.label == "Injected cost" || each.label == "Payload")
      lines += element(
          "li", (each.label == "Payload" ? "" : "Extra time, planted to be found: ") +
                    escaped_sentence(in_words(each.text.substr(0, each.text.find(';')), found)));
  return element("aside",
                 element("h2", "Can I believe this?") + grade_html(found) +
                     element("ul", lines + hosts_line(header) + element("li", caveats_line(found))),
                 "class=\"card\"");
}

}  // namespace

std::string first_screen(const run_header& header, const results& found, bool has_charts) {
  std::string tables;
  for (const auto& pair : pairs_of(found))
    tables += html_table(verdict_table(found, pair),
                         fmt::format("cpu-{}-{}", pair.contender, pair.base), load_names::in_words);
  const auto chart = tables.empty() ? "" : charted("forest", tables) + reading_guide(has_charts);
  return answers(header, found) +
         element("div", element("section", chart) + trust_card(header, found), "class=\"first\"");
}

}  // namespace bench
