#include <fmt/format.h>

#include <algorithm>
#include <bench/contract/duration.hpp>
#include <bench/contract/refused_option.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/options.hpp>
#include <boost/program_options.hpp>
#include <charconv>
#include <cstdio>
#include <sstream>

namespace bench {

namespace po = boost::program_options;

namespace {

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
    : command_{std::move(command)},
      positional_{std::move(positional)},
      purpose_{std::move(purpose)},
      all_{100} {
  all_.add_options()("help,h", "this text");
}

void options::add(const char* name, bool& flag, const char* text) {
  all_.add_options()(name, po::bool_switch(&flag), text);
}
void options::add(const char* name, int& value, const char* unit, const char* text) {
  all_.add_options()(name, po::value(&value)->value_name(unit)->default_value(value), text);
}
void options::add(const char* name, std::string& value, const char* unit, const char* text) {
  auto* option = po::value(&value)->value_name(unit);
  all_.add_options()(name, value.empty() ? option : option->default_value(value), text);
}
void options::add(const char* name, std::optional<std::string>& value, const char* unit,
                  const char* text) {
  const auto set = [&value](const std::string& given) { value = given; };
  all_.add_options()(name, po::value<std::string>()->value_name(unit)->notifier(set), text);
}
void options::add(const char* name, std::optional<int>& value, const char* unit, const char* text) {
  const auto set = [&value](int given) { value = given; };
  all_.add_options()(name, po::value<int>()->value_name(unit)->notifier(set), text);
}
void options::add(const char* name, std::optional<std::uint64_t>& value, const char* unit,
                  const char* text) {
  const auto set = [&value](std::uint64_t given) { value = given; };
  all_.add_options()(name, po::value<std::uint64_t>()->value_name(unit)->notifier(set), text);
}
void options::add(const char* name, std::vector<std::string>& values, const char* unit,
                  const char* text) {
  all_.add_options()(name, po::value(&values)->value_name(unit), text);
}

arguments options::parse(const arguments& given) const try {
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
  expect_values(command_, parsed);
  po::store(parsed, found);
  if (found.contains("help")) {
    show_help();
    throw help_shown{};
  }
  po::notify(found);
  return found.contains(rest) ? found[rest].as<arguments>() : arguments{};
} catch (const po::error& error) {
  throw usage_error(
      fmt::format("{}: {}; --help lists what there is", command_, words_of(error, given)));
}

void options::show_help() const {
  std::ostringstream table;
  table << all_;
  fmt::print("usage: {}{}{} [OPTION...]\n\n{}\n\n{}", command_, positional_.empty() ? "" : " ",
             positional_, purpose_, table.str());
  if (!explanation_.empty()) fmt::print("\n{}\n", explanation_);
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
