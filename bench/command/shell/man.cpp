// echobench man: prints the manual page, which is made of what --help prints.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <bench/command/commands.hpp>
#include <bench/contract/build_info.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/options.hpp>
#include <bench/text/wrapped.hpp>
#include <cstdlib>
#include <ctime>

namespace bench {
namespace {

// No character of `text` is taken for a request or for a typographic sign.
std::string roff(std::string_view text) {
  std::string escaped;
  for (const char each : text) {
    if (escaped.empty() && (each == '.' || each == '\'')) escaped += "\\&";
    switch (each) {
      case '\\':
        escaped += "\\e";
        break;
      case '-':
        escaped += "\\-";
        break;
      case '\'':
        escaped += "\\(aq";
        break;
      case '~':
        escaped += "\\(ti";
        break;
      case '^':
        escaped += "\\(ha";
        break;
      default:
        escaped += each;
    }
  }
  return escaped;
}

// In short lines, as mandoc asks for.
std::string roff_lines(std::string_view text) {
  std::string escaped;
  for (const auto& line : split(wrapped(text, 60, 0), '\n')) escaped += roff(line) + '\n';
  return escaped;
}

// Paragraphs, and tables as they are.
std::string roff_paragraphs(const std::string& text) {
  std::string page;
  bool in_table = false;
  bool begins = true;
  for (const auto& line : split(text, '\n')) {
    const bool is_table = line.starts_with(' ');
    if (in_table && !is_table) page += ".fi\n";
    if (!begins && !is_table && !line.empty()) page += ".PP\n";
    if (!in_table && is_table) page += ".nf\n";
    in_table = is_table;
    if (!line.empty()) page += is_table ? roff(line) + '\n' : roff_lines(line);
    begins = begins && line.empty();
  }
  return in_table ? page + ".fi\n" : page;
}

std::string roff_option(const option_row& row) {
  auto text = fmt::format(".TP\n\\fB{}\\fR", roff("--" + row.name));
  if (!row.unit.empty()) text += fmt::format(" \\fI{}\\fR", roff(row.unit));
  const auto fallback = row.fallback.empty() ? "" : fmt::format(" (default: {})", row.fallback);
  return text + '\n' + roff_lines(row.text + fallback);
}

std::string roff_command(const command& each) {
  const auto manual = manual_of(each.run);
  const auto positional = manual.positional.empty() ? "" : ' ' + manual.positional;
  auto page = fmt::format(".SS {}\n\\fB{}\\fR{} [OPTION...]\n.PP\n{}", each.name,
                          roff(manual.command), roff(positional), roff_paragraphs(manual.purpose));
  for (const auto& row : manual.rows)
    if (row.name != "help") page += roff_option(row);
  if (!manual.explanation.empty()) page += ".PP\n" + roff_paragraphs(manual.explanation);
  return page;
}

std::string roff_examples() {
  std::string page = ".SH EXAMPLES\n.nf\n";
  for (const auto& each : all_commands())
    for (const auto& line : manual_of(each.run).examples) page += roff("echobench " + line) + '\n';
  return page + ".fi\n";
}

// The day on which the page is made, or the one that SOURCE_DATE_EPOCH asks for.
std::string day() {
  const char* said = std::getenv("SOURCE_DATE_EPOCH");
  const auto when = said != nullptr ? parse_number(said) : std::nullopt;
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(when ? std::time_t{*when} : std::time(nullptr)));
}

std::string manual_page() {
  auto page = fmt::format(
      ".TH ECHOBENCH 1 {} \"echobench {}\" \"User Commands\"\n"
      ".SH NAME\nechobench \\- measures echo servers side by side\n"
      ".SH SYNOPSIS\n\\fBechobench\\fR COMMAND [ARGUMENT...]\n.PP\n"
      "\\fBechobench\\fR \\fB\\-\\-version\\fR\n"
      ".SH DESCRIPTION\n",
      day(), build_info::version);
  for (const auto& each : all_commands())
    page += fmt::format(".TP\n\\fB{}\\fR\n{}\n", each.name, roff(each.purpose));
  page += ".SH COMMANDS\n";
  for (const auto& each : all_commands()) page += roff_command(each);
  return page + roff_examples() +
         ".SH ENVIRONMENT\n.TP\n\\fBNO_COLOR\\fR\nIf it is set, nothing is coloured.\n"
         ".TP\n\\fBECHOBENCH_COMMIT\\fR\nThe commit of the checkout, for \\fB\\-\\-version\\fR and "
         "reports.\n"
         ".SH FILES\n.TP\n\\fIruns/\\fR\nThe runs, in the current folder.\n";
}

}  // namespace

int man_command(const arguments& given) {
  options wanted{"echobench man", "", "Prints this help of all commands as a manual page."};
  wanted.example("man | man -l -");
  wanted.example("man > echobench.1");
  if (const auto rest = wanted.parse(given); !rest.empty())
    throw usage_error(fmt::format("echobench man: unexpected argument '{}'", rest[0]));
  fmt::print("{}", manual_page());
  return 0;
}

}  // namespace bench
