// Reading a run returns what was written. An error names the file, the line and the reason.
#include <bench/record/record.hpp>
#include <bench/text/described_json.hpp>

#include <fmt/format.h>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <limits>
#include <regex>
#include <string>

#include <tests/bench/synthetic_run.hpp>
#include <tests/scratch_folder.hpp>

namespace {

// The error from reading `text` as a run, without its folder. Empty: no error.
std::string complaint(const std::string& text) {
  const scratch_folder folder;
  try {
    bench::read_run(folder.write("run.ndjson", text));
    return {};
  } catch (const bench::unreadable_run& error) {
    return std::string{error.what()}.substr(folder.path().string().size() + 1);
  }
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  BOOST_REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_run_read_back_writes_the_same_lines_again) {
  const auto record = every_caveat();
  BOOST_REQUIRE(record.caveats_found.size() == std::variant_size_v<bench::any_caveat>);
  const scratch_folder folder;
  const auto text = ndjson_of(record);
  const auto back = bench::read_run(folder.write("run.ndjson", text));
  BOOST_TEST((ndjson_of(back) == text));
  BOOST_TEST(!back.last_line_truncated);
  BOOST_TEST((back.end == bench::run_end::complete));
}

BOOST_AUTO_TEST_CASE(whole_numbers_come_back_exactly_and_others_to_twelve_digits) {
  auto record = synthetic_run({.rounds = 1});
  record.header.seed = std::numeric_limits<std::uint64_t>::max();
  record.blocks[0].slices[0].cpu_ns = 0.1 + 0.2;
  record.blocks[0].slices[0].messages = std::numeric_limits<std::int64_t>::max();
  record.blocks[0].slices[0].checked.reset();
  const scratch_folder folder;
  const auto back = bench::read_run(folder.write("run.ndjson", ndjson_of(record)));
  BOOST_TEST(back.header.seed == record.header.seed);
  BOOST_TEST(back.blocks[0].slices[0].cpu_ns.value() == 0.1 + 0.2,
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(back.blocks[0].slices[0].messages == record.blocks[0].slices[0].messages);
  BOOST_TEST(!back.blocks[0].slices[0].checked);
}

BOOST_AUTO_TEST_CASE(text_with_quotes_newlines_and_umlauts_survives_on_one_line) {
  auto record = synthetic_run({.rounds = 1});
  record.header.command_line = "--server 'name=\"ä\"\n\t\\ --port {port}'";
  const auto line = bench::to_json_line(record.header);
  BOOST_TEST(line.find('\n') == std::string::npos);
  const scratch_folder folder;
  const auto back = bench::read_run(folder.write("run.ndjson", line + '\n'));
  BOOST_TEST(back.header.command_line == record.header.command_line);
}

BOOST_AUTO_TEST_CASE(a_word_that_is_no_utf8_is_written_as_valid_json) {
  auto record = synthetic_run({.rounds = 1});
  record.header.command_line = "caf\xE9";
  record.header.machine.cpu_model = "\xFF";
  record.header.servers[0].announced["\xFE"] = "\xC3";
  const scratch_folder folder;
  const auto line = bench::to_json_line(record.header);
  const auto back = bench::read_run(folder.write("run.ndjson", line + '\n'));
  BOOST_TEST(back.header.command_line == "caf\uFFFD");
  BOOST_TEST(back.header.machine.cpu_model == "\uFFFD");
  BOOST_TEST(back.header.servers[0].announced.at("\uFFFD") == "\uFFFD");
}

BOOST_AUTO_TEST_CASE(a_run_killed_while_writing_keeps_all_but_its_last_line) {
  const auto text = ndjson_of(synthetic_run({.rounds = 2}));
  const auto last = text.rfind("{\"record\":\"block\"");
  const scratch_folder folder;
  const auto back = bench::read_run(folder.write("run.ndjson", text.substr(0, last + 40)));
  BOOST_TEST(back.last_line_truncated);
  BOOST_TEST(!back.end);
  BOOST_TEST(back.blocks.size() + 1 == synthetic_run({.rounds = 2}).blocks.size());
}

BOOST_AUTO_TEST_CASE(a_last_line_that_lacks_only_its_newline_is_kept) {
  const auto text = ndjson_of(synthetic_run({.rounds = 1}));
  const scratch_folder folder;
  const auto back = bench::read_run(folder.write("run.ndjson", text.substr(0, text.size() - 1)));
  BOOST_TEST(!back.last_line_truncated);
  BOOST_TEST(back.end.has_value());
}

BOOST_AUTO_TEST_CASE(a_block_that_is_there_twice_is_named) {
  auto record = synthetic_run({.rounds = 1});
  record.blocks.push_back(record.blocks.front());
  const auto line = std::to_string(1 + record.blocks.size());
  BOOST_TEST(complaint(ndjson_of(record)) ==
             "run.ndjson:" + line + ": it is a block that was measured already");
}

BOOST_AUTO_TEST_CASE(a_block_with_a_slice_of_no_floor_is_refused) {
  auto record = synthetic_run({.rounds = 1});
  record.blocks.front().comparison.floor.reset();
  BOOST_TEST(complaint(ndjson_of(record)) ==
             "run.ndjson:2: order has an F, but the comparison names no floor");
}

BOOST_AUTO_TEST_CASE(a_broken_line_in_the_middle_is_named) {
  const auto text = ndjson_of(synthetic_run({.rounds = 1}));
  BOOST_TEST(complaint(replaced(text, "{\"record\":\"block\"", "{\"record\":\"bl")) ==
             "run.ndjson:2: not JSON: syntax error");
}

BOOST_AUTO_TEST_CASE(a_missing_or_mistaken_member_is_named_with_its_place) {
  const auto text = ndjson_of(synthetic_run({.rounds = 1}));
  BOOST_TEST(complaint(replaced(text, "\"seconds\"", "\"secounds\"")) ==
             "run.ndjson:2: slices[0].seconds is missing");
  BOOST_TEST(complaint(replaced(text, "\"seconds\":0.2", "\"seconds\":\"0.2\"")) ==
             "run.ndjson:2: slices[0].seconds is not a number that fits");
  BOOST_TEST(complaint(replaced(text, "\"latency\":\"HISTF", "\"latency\":\"HOSTF")) ==
             "run.ndjson:3: slices[0].latency is no histogram: it is not in the V2 encoding");
  BOOST_TEST(complaint(replaced(text, "\"record\":\"block\"", "\"record\":\"blok\"")) ==
             "run.ndjson:2: record is \"blok\", which is not known here");
  BOOST_TEST(complaint(replaced(text, "\"scenario\":\"c1/64\"", "\"scenario\":\"1/64\""))
                 .starts_with("run.ndjson:2: scenario is no scenario: "));
}

BOOST_AUTO_TEST_CASE(a_number_too_large_for_a_double_is_refused) {
  const auto text = ndjson_of(synthetic_run({.rounds = 1}));
  BOOST_TEST(complaint(replaced(text, "\"seconds\":0.2", "\"seconds\":1e999")) ==
             "run.ndjson:2: slices[0].seconds is not a number that fits");
  BOOST_TEST(complaint(replaced(text, "\"steal_share\":0", "\"steal_share\":-1e999")) ==
             "run.ndjson:2: steal_share is not a number that fits");
}

BOOST_AUTO_TEST_CASE(a_number_that_json_does_not_have_is_written_as_null) {
  const double infinity = std::numeric_limits<double>::infinity();
  BOOST_TEST(bench::json_text(boost::json::array{1.5, infinity, -infinity}) == "[1.5,null,null]");
}

BOOST_AUTO_TEST_CASE(no_control_character_is_written_as_it_is) {
  BOOST_TEST(bench::json_text("\x1B\x7F\u0080\u009B\u00A0") ==
             "\"\\u001b\\u007f\\u0080\\u009b\u00A0\"");
}

BOOST_AUTO_TEST_CASE(what_a_slice_took_comes_back_and_a_run_from_before_it_was_kept_is_read) {
  const auto record = synthetic_run({.rounds = 1});
  const scratch_folder folder;
  auto text = ndjson_of(record);
  const auto& slice = record.blocks[1].slices[0];
  const auto back = bench::read_run(folder.write("run.ndjson", text)).blocks[1].slices[0];
  BOOST_TEST((back.latency->counts() == slice.latency->counts()));
  BOOST_TEST(back.start_ms.value() == *slice.start_ms);
  for (const auto* member : {"latency", "service", "start_ms"})
    text = std::regex_replace(text, std::regex{fmt::format(",\"{}\":[^,}}]*", member)}, "");
  BOOST_TEST(text.find("HISTF") == std::string::npos);
  const auto old = bench::read_run(folder.write("run.ndjson", text));
  BOOST_REQUIRE(old.blocks.size() == record.blocks.size());
  BOOST_TEST(!old.blocks[1].slices[0].latency);
  BOOST_TEST(!old.blocks[1].slices[0].start_ms);
}

BOOST_AUTO_TEST_CASE(a_caveat_under_its_older_name_is_read) {
  const scratch_folder folder;
  const auto record = every_caveat();
  const auto text =
      std::regex_replace(ndjson_of(record), std::regex{"\"caveat\":\""}, "\"doubt\":\"");
  const auto back = bench::read_run(folder.write("run.ndjson", text)).caveats_found;
  BOOST_TEST(bench::sentences_of(back) == bench::sentences_of(record.caveats_found),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(members_that_older_runs_have_and_this_does_not_are_passed_over) {
  const auto text = ndjson_of(synthetic_run({.rounds = 1}));
  const auto older =
      replaced(text, "\"target\":null",
               "\"code_bytes\":204800,\"source\":{\"lines\":331,\"files\":[\"here\"]},"
               "\"target\":null");
  BOOST_TEST(older != text);
  const scratch_folder folder;
  BOOST_TEST(ndjson_of(bench::read_run(folder.write("run.ndjson", older))) == text);
}

BOOST_AUTO_TEST_CASE(a_foreign_file_is_refused_in_words) {
  BOOST_TEST(complaint("") ==
             "run.ndjson:0: no header: this is no run, or it ended before it began");
  BOOST_TEST(complaint("hello\n") == "run.ndjson:1: not a run: its first line is no JSON");
  BOOST_TEST(complaint("\x7f"
                       "ELF\x02\x01") == "run.ndjson:1: not a run: its first line is no JSON");
  BOOST_TEST(complaint("{\"a\":1}\n") ==
             "run.ndjson:1: it is no line of a run: it does not say which record it is");
  BOOST_TEST(complaint("[1,2]\n") ==
             "run.ndjson:1: it is no line of a run: it does not say which record it is");
  BOOST_TEST(complaint("{\"record\":\"block\"}\n") ==
             "run.ndjson:1: it is no header, and a run starts with one");
}

BOOST_AUTO_TEST_CASE(another_format_is_refused_before_anything_else_is_missed) {
  BOOST_TEST(complaint("{\"record\":\"header\",\"format\":9}\n") ==
             "run.ndjson:1: format is 9, and this program reads 1");
}

BOOST_AUTO_TEST_CASE(deeply_nested_input_is_refused_and_does_not_overflow) {
  BOOST_TEST(!complaint(std::string(100000, '[') + '\n').empty());
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_and_a_folder_are_named) {
  const scratch_folder folder;
  const auto message_of = [](const std::filesystem::path& file) {
    try {
      bench::read_run(file);
    } catch (const bench::unreadable_run& error) {
      return std::string{error.what()};
    }
    return std::string{};
  };
  BOOST_TEST(message_of(folder / "none") ==
             (folder / "none").string() + ": No such file or directory");
  BOOST_TEST(message_of(folder.path()) == folder.path().string() + ": is a folder");
}
