// A command line is parsed, or refused with one line that names the wrong option.
#include <bench/text/failure.hpp>
#include <bench/text/options.hpp>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

// A command with one option of each type.
struct command {
  bool quiet = false;
  int rounds = 10;
  std::string suite = "default";
  std::optional<std::string> output;
  std::optional<int> cpu;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> servers;
  bench::options wanted{"echobench try", "FOLDER", "Tries."};

  command() {
    wanted.add("quiet", quiet, "says less");
    wanted.add("rounds", rounds, "N", "how many");
    wanted.add("suite", suite, "NAME", "which loads");
    wanted.add("output", output, "DIR", "where to");
    wanted.add("cpu", cpu, "N", "where");
    wanted.add("seed", seed, "N", "of the order");
    wanted.add("server", servers, "NAME=COMMAND", "one more");
  }

  // The text of the error. Empty: no error.
  std::string refusal_of(const bench::arguments& given) const {
    try {
      wanted.parse(given);
      return {};
    } catch (const bench::usage_error& error) {
      return error.what();
    }
  }
};

std::string refusal_of_time(const std::string& text) {
  try {
    bench::parse_duration("budget", text);
    return {};
  } catch (const bench::usage_error& error) {
    return error.what();
  }
}

int try_it(const bench::arguments& given) {
  const command tried;
  tried.wanted.parse(given);
  throw std::logic_error{"the command was not stopped"};
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_manual_of_a_command_is_its_table_and_the_command_does_nothing) {
  const auto manual = bench::manual_of(try_it);
  BOOST_TEST(manual.command == "echobench try");
  BOOST_TEST(manual.positional == "FOLDER");
  std::string rows;
  for (const auto& each : manual.rows)
    rows += each.name + ' ' + each.unit + (each.repeats ? "... " : " ") + each.fallback + '\n';
  BOOST_TEST(rows ==
             "help  \nquiet  \nrounds N 10\nsuite NAME default\noutput DIR \ncpu N \nseed N \n"
             "server NAME=COMMAND... \n");
}

BOOST_AUTO_TEST_CASE(help_breaks_its_texts_at_80_columns_and_leaves_tables_as_they_are) {
  const std::string line = "  a table  with columns";
  bench::command_manual manual{
      .command = "echobench try",
      .positional = "",
      .purpose = "Tries.",
      .rows = {{"a-long-option", "WITH_ITS_UNIT", std::string(50, 'x') + " and more", "3", true}},
      .explanation = line + "\nwords " + std::string(75, 'y') + " words",
      .examples = {"try it"}};
  BOOST_TEST(bench::help_text(manual, "bench/run") ==
             "usage: echobench try [OPTION...]\n\nTries.\n\n  --a-long-option WITH_ITS_UNIT\n" +
                 std::string(24, ' ') + std::string(50, 'x') + " and\n" + std::string(24, ' ') +
                 "more; may be repeated (default: 3)\n\n" + line + "\nwords\n" +
                 std::string(75, 'y') + "\nwords\n\nExamples:\n  bench/run try it\n");
}

BOOST_FIXTURE_TEST_CASE(options_that_are_not_given_keep_their_defaults, command) {
  BOOST_TEST(wanted.parse({}).empty());
  BOOST_TEST(!quiet);
  BOOST_TEST(rounds == 10);
  BOOST_TEST(suite == "default");
  BOOST_TEST(!output.has_value());
  BOOST_TEST(!cpu.has_value());
  BOOST_TEST(!seed.has_value());
  BOOST_TEST(servers.empty());
}

BOOST_FIXTURE_TEST_CASE(each_kind_of_option_takes_what_is_given, command) {
  wanted.parse({"--quiet", "--rounds", "3", "--suite=quick", "--output", "there", "--cpu=0",
                "--seed", "18446744073709551615", "--server", "a=b", "--server", "c=d e"});
  BOOST_TEST(quiet);
  BOOST_TEST(rounds == 3);
  BOOST_TEST(suite == "quick");
  BOOST_TEST(output.value() == "there");
  BOOST_TEST(cpu.value() == 0);
  BOOST_TEST(seed.value() == UINT64_MAX);
  BOOST_TEST(servers == (std::vector<std::string>{"a=b", "c=d e"}),
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(what_is_no_option_comes_back_in_its_order, command) {
  const auto rest = wanted.parse({"one", "--rounds", "3", "two", "", "--", "--quiet"});
  BOOST_TEST(rest == (bench::arguments{"one", "two", "", "--quiet"}),
             boost::test_tools::per_element());
  BOOST_TEST(!quiet);
}

BOOST_FIXTURE_TEST_CASE(an_argument_with_a_placeholder_of_the_parser_is_refused_at_once, command) {
  BOOST_TEST(refusal_of({"--%original_token%"}) ==
             "echobench try: unrecognised option '--%original_token%'; --help lists what there is");
  BOOST_TEST(refusal_of({"-%original_token%=x"}).find("-%") != std::string::npos);
  BOOST_TEST(
      refusal_of({"--rounds", "%value%"}) ==
      "echobench try: the argument for option '--rounds' is missing or invalid; --help lists "
      "what there is");
  BOOST_TEST(refusal_of({"--suite", "%value%"}).empty());
}

BOOST_FIXTURE_TEST_CASE(what_is_refused_is_named_with_the_command_and_the_way_to_help, command) {
  for (const auto& [given, named] :
       {std::pair{bench::arguments{"--colour"}, "'--colour'"},
        std::pair{bench::arguments{"--round", "3"}, "'--round'"},  // an abbreviation
        std::pair{bench::arguments{"--rounds", "3x"}, "'--rounds'"},
        std::pair{bench::arguments{"--rounds", "2147483648"}, "'--rounds'"},
        std::pair{bench::arguments{"--rounds"}, "'--rounds'"},
        std::pair{bench::arguments{"--suite", "a", "--suite", "b"}, "'--suite'"}}) {
    const auto text = refusal_of(given);
    BOOST_TEST(text.starts_with("echobench try: "), text);
    BOOST_TEST(text.find(named) != std::string::npos, text);
    BOOST_TEST(text.ends_with("; --help lists what there is"), text);
  }
}

BOOST_FIXTURE_TEST_CASE(an_empty_value_is_not_taken_for_none, command) {
  BOOST_TEST(refusal_of({"--suite", ""}) ==
             "echobench try: --suite '' is empty, and wants a value");
  BOOST_TEST(refusal_of({"--output", ""}) ==
             "echobench try: --output '' is empty, and wants a value");
  BOOST_TEST(refusal_of({"--output="}).find("--output") != std::string::npos);
  BOOST_TEST(!output.has_value());
}

BOOST_FIXTURE_TEST_CASE(help_is_shown_instead_of_what_was_asked_for, command) {
  BOOST_CHECK_THROW(wanted.parse({"--output", "there", "--help"}), bench::help_shown);
  BOOST_TEST(!output.has_value());
}

BOOST_AUTO_TEST_CASE(a_time_without_a_unit_is_seconds_and_what_is_none_is_named) {
  BOOST_TEST((bench::parse_duration("budget", "500ms") == 500ms));
  BOOST_TEST((bench::parse_duration("budget", "2m") == 2min));
  BOOST_TEST((bench::parse_duration("budget", "20") == 20s));
  BOOST_TEST((bench::parse_duration("budget", "1ms") == 1ms));
  for (const std::string text : {"", "0", "0s", "-1s", "s", "20x", "2 m"})
    BOOST_TEST(refusal_of_time(text) ==
               "--budget '" + text + "' is not a time such as 500ms, 20s or 2m, up to a day");
}

BOOST_AUTO_TEST_CASE(a_number_is_whole_and_nothing_stands_beside_it) {
  BOOST_TEST(bench::parse_number("0").value() == 0);
  BOOST_TEST(bench::parse_number("-7").value() == -7);
  BOOST_TEST(bench::parse_number("2147483647").value() == 2147483647);
  for (const auto* text : {"", " 7", "7 ", "+7", "7.0", "7k", "2147483648"})
    BOOST_TEST(!bench::parse_number(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(a_text_is_split_into_parts_and_an_empty_one_has_none) {
  BOOST_TEST(bench::split("", ',').empty());
  BOOST_TEST(bench::split("a", ',') == std::vector<std::string>{"a"},
             boost::test_tools::per_element());
  BOOST_TEST(bench::split("a,,b c", ',') == (std::vector<std::string>{"a", "", "b c"}),
             boost::test_tools::per_element());
}
