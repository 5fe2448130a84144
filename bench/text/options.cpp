#include <fmt/format.h>

#include <algorithm>
#include <bench/contract/duration.hpp>
#include <bench/contract/refused_option.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/options.hpp>
#include <bench/text/wrapped.hpp>
#include <boost/program_options.hpp>
#include <charconv>
#include <cstdio>
#include <sstream>
#include <stdexcept>

namespace bench {

namespace po = boost::program_options;

namespace {

constexpr int help_width = 80;
constexpr int help_column = 24;  // where the texts of the options begin

// No command line can hold a NUL, so nobody can type this.
const std::string asks_for_manual{"\0manual", 7};

struct manual_told {
  command_manual manual;
};

// "  --suite SUITE         what to measure (default quick)", in more lines if need be.
std::string line_of(const option_row& row) {
  const auto name = "  --" + row.name + (row.name == "help" ? ", -h" : "") +
                    (row.unit.empty() ? "" : " " + row.unit);
  auto text = row.text;
  if (row.repeats) text += "; may be repeated";
  if (!row.fallback.empty()) text += fmt::format(" (default: {})", row.fallback);
  return name_cell(name, help_column, 0) + wrapped(text, help_width, help_column, help_column);
}

// Throws usage_error for an empty value, such as that of an unset shell variable: the user did not
// mean the default.
void expect_values(const std::string& command, const po::parsed_options& given) {
  for (const auto& each : given.options) {
    const bool is_positional = each.position_key >= 0;
    if (!is_positional && std::find(each.value.begin(), each.value.end(), "") != each.value.end())
      throw usage_error(
          fmt::format("{}: --{} '' is empty, and wants a value", command, each.string_key));
  }
}

}  // namespace

options::options(std::string command, std::string positional, std::string purpose)
    : manual_{.command = std::move(command),
              .positional = std::move(positional),
              .purpose = std::move(purpose),
              .rows = {{"help", {}, "this text", {}}},
              .explanation = {},
              .examples = {}},
      all_{help_width} {
  all_.add_options()("help,h", "this text");
}

void options::add_row(const char* name, const char* unit, const char* text, std::string fallback,
                      bool repeats) {
  manual_.rows.push_back({name, unit, text, std::move(fallback), repeats});
}

void options::add(const char* name, bool& flag, const char* text) {
  all_.add_options()(name, po::bool_switch(&flag), text);
  add_row(name, "", text);
}
void options::add(const char* name, int& value, const char* unit, const char* text) {
  all_.add_options()(name, po::value(&value), text);
  add_row(name, unit, text, std::to_string(value));
}
void options::add(const char* name, std::string& value, const char* unit, const char* text) {
  all_.add_options()(name, po::value(&value), text);
  add_row(name, unit, text, value);
}
void options::add(const char* name, std::optional<std::string>& value, const char* unit,
                  const char* text) {
  const auto set = [&value](const std::string& given) { value = given; };
  all_.add_options()(name, po::value<std::string>()->notifier(set), text);
  add_row(name, unit, text);
}
void options::add(const char* name, std::optional<int>& value, const char* unit, const char* text) {
  const auto set = [&value](int given) { value = given; };
  all_.add_options()(name, po::value<int>()->notifier(set), text);
  add_row(name, unit, text);
}
void options::add(const char* name, std::optional<std::uint64_t>& value, const char* unit,
                  const char* text) {
  const auto set = [&value](std::uint64_t given) { value = given; };
  all_.add_options()(name, po::value<std::uint64_t>()->notifier(set), text);
  add_row(name, unit, text);
}
void options::add(const char* name, std::vector<std::string>& values, const char* unit,
                  const char* text) {
  all_.add_options()(name, po::value(&values), text);
  add_row(name, unit, text, {}, true);
}

arguments options::parse(const arguments& given) const try {
  if (given == arguments{asks_for_manual}) throw manual_told{manual_};
  po::options_description known;
  known.add(all_);
  constexpr const char* rest = "not an option";
  known.add_options()(rest, po::value<arguments>());
  po::positional_options_description positional;
  positional.add(rest, -1);
  // No abbreviations: they would change their meaning when an option is added.
  constexpr auto style =
      po::command_line_style::default_style & ~po::command_line_style::allow_guessing;

  po::variables_map found;
  const auto parsed =
      po::command_line_parser(given).options(known).positional(positional).style(style).run();
  expect_values(manual_.command, parsed);
  po::store(parsed, found);
  if (found.contains("help")) {
    fmt::print("{}", help_text(manual_, invoked_as()));
    throw help_shown{};
  }
  po::notify(found);
  return found.contains(rest) ? found[rest].as<arguments>() : arguments{};
} catch (const po::error& error) {
  throw usage_error(
      fmt::format("{}: {}; --help lists what there is", manual_.command, words_of(error, given)));
}

std::string help_text(const command_manual& manual, const std::string& program) {
  auto text = fmt::format("usage: {}{}{} [OPTION...]\n\n{}\n", manual.command,
                          manual.positional.empty() ? "" : " ", manual.positional,
                          paragraphs(manual.purpose, help_width));
  for (const auto& each : manual.rows) text += line_of(each);
  if (!manual.explanation.empty()) text += '\n' + paragraphs(manual.explanation, help_width);
  if (!manual.examples.empty()) text += "\nExamples:\n";
  for (const auto& each : manual.examples) text += fmt::format("  {} {}\n", program, each);
  return text;
}

command_manual manual_of(int (*command)(const arguments& given)) try {
  command({asks_for_manual});
  throw std::logic_error{"a command without options::parse()"};
} catch (const manual_told& told) {
  return told.manual;
}

std::chrono::milliseconds parse_duration(std::string_view option, const std::string& text) {
  const auto with_unit = parse_duration(text);
  const auto found = with_unit ? with_unit : parse_duration(text + 's');
  if (!found || *found < std::chrono::milliseconds{1}) {
    throw usage_error(
        fmt::format("--{} '{}' is not a time such as 500ms, 20s or 2m, up to a day", option, text));
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(*found);
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream{text};
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

std::optional<int> parse_number(std::string_view text) {
  int number = 0;
  const auto* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc{} || end != last) return std::nullopt;
  return number;
}

}  // namespace bench
