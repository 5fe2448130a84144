// All forms of a report say the same and print every caveat, also for unusual runs.
#include <bench/analysis/analysis.hpp>
#include <bench/command/commands.hpp>
#include <bench/report/forms.hpp>
#include <bench/report/report.hpp>
#include <bench/text/failure.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <tests/bench/analysis/cost_row_of.hpp>
#include <tests/bench/report/every_form.hpp>
#include <tests/bench/synthetic_run.hpp>
#include <tests/scratch_folder.hpp>

using bench::analyse;
using bench::finding;

namespace {

std::string without_tags(std::string html) {
  for (auto at = html.find('<'); at != std::string::npos; at = html.find('<', at))
    html.erase(at, html.find('>', at) + 1 - at);
  return html;
}

}  // namespace

BOOST_AUTO_TEST_CASE(below_six_rounds_reports_print_no_interval_and_say_so) {
  const auto record = synthetic_run({.rounds = 5});
  const auto found = analyse(record);
  for (const auto& row : found.costs) {
    BOOST_TEST(!row.ratio.range);
    BOOST_TEST(row.verdict.what == finding::inconclusive);
  }
  const auto forms = every_form(record);
  BOOST_TEST(contains(forms[2], "(5 blocks, no interval)"));
  BOOST_TEST(contains(forms[3], "(5 blocks, no interval)"));
  BOOST_TEST(contains(forms[4], "5 blocks are too few for a 95 % interval"));
}

BOOST_AUTO_TEST_CASE(a_client_at_its_limit_is_said_in_every_form) {
  const auto record = synthetic_run({.utilisation = 0.97});
  for (const auto& row : analyse(record).loads) {
    BOOST_TEST(row.contender.client_limited);
    BOOST_TEST(row.throughput_ratio.n == 0);  // the client's limit, not the servers'
  }
  const auto forms = every_form(record);
  for (const std::size_t machine_readable : {0U, 1U})
    BOOST_TEST(contains(forms[machine_readable],
                        "fibers/epoll on c64/512: the client used 97 % of its core"));
  for (const std::size_t for_people : {2U, 3U})
    BOOST_TEST(contains(forms[for_people], "fibers/epoll on c1/64, c64/512, c256/64 (97 %); "));
  BOOST_TEST(contains(forms[4], "the client was at the limit of its core"));
}

BOOST_AUTO_TEST_CASE(every_form_prints_every_caveat) {
  auto record = synthetic_run({.control = false});
  record.end = bench::run_end::interrupted;
  record.caveats_found = {bench::caveats::backend_mismatch{"fibers/io_uring", "io_uring", "epoll"},
                          bench::caveats::debug_build{"mine"}};
  const auto found = analyse(record);
  BOOST_TEST(found.caveats.size() == 4U);
  for (auto form : every_form(record)) {
    std::replace(form.begin(), form.end(), '\n', ' ');  // the terminal breaks lines
    for (const auto* part : {"fibers/io_uring was asked for io_uring and runs epoll",
                             "mine is a debug or sanitizer build", "no A/A control in this run",
                             "the run ended early, after 10 of 10 rounds"})
      BOOST_TEST(contains(form, part), part);
  }
}

// The run may be somebody else's, and the terminal would obey what its names contain.
BOOST_AUTO_TEST_CASE(a_run_from_a_file_shows_no_escape_sequence) {
  auto record = synthetic_run();
  const std::string name = "my\x1B[31m\u009Bserver";
  for (auto& each : record.blocks) {
    each.comparison.contender = name;
    for (auto& slice : each.slices)
      if (slice.launch == 1) slice.server = name;
  }
  record.header.comparisons[0].contender = name;
  record.header.servers[1].name = name;
  record.header.servers[1].command = record.header.command_line = "sh -c '\x1B[31m'";
  record.header.servers[1].announced["\x1B[31m"] = "\x1B[31m";
  record.header.machine.kernel = "\x1B[31m";
  record.memory[0].server = record.kernel[0].server = name;
  record.caveats_found = {bench::caveats::debug_build{name}};
  const scratch_folder folder;
  const auto read = bench::read_run(folder.write("run.ndjson", ndjson_of(record)));
  for (const auto& form : every_form(read)) {
    BOOST_TEST(!contains(form, "\x1B"));
    BOOST_TEST(!contains(form, "\u009B"));
    BOOST_TEST(contains(form, "server"));
  }
  BOOST_TEST(contains(every_form(read)[1], "my\\x1B[31m\\xC2\\x9Bserver"));
}

BOOST_AUTO_TEST_CASE(a_void_run_measured_nothing_and_every_form_begins_with_that) {
  auto record = synthetic_run();
  record.caveats_found.push_back(bench::caveats::run_void{"mine: wrong reply"});
  const auto found = analyse(record);
  BOOST_REQUIRE(found.headlines.size() == 1U);
  BOOST_TEST(found.headlines.front() ==
             "VOID: a reply was wrong, and one wrong byte voids the run: mine: wrong reply");
  for (const auto& row : found.costs) {
    BOOST_TEST(row.verdict.what == finding::unmeasured);
    BOOST_TEST(row.verdict.words == "n/a: the run is void");
  }
  for (const auto& row : found.loads) BOOST_TEST(row.throughput_ratio.n == 0);
  BOOST_TEST(boost::json::parse(bench::github_action_report(found)).as_array().empty());
  for (const auto& form : every_form(record)) {
    BOOST_TEST(contains(form, "VOID: a reply was wrong"));
    BOOST_TEST(!contains(form, "none wrong"));
    for (const auto* word : {"lower by", "higher by", "equivalent ("})
      BOOST_TEST(!contains(form, word), word);
  }
}

BOOST_AUTO_TEST_CASE(the_reports_of_a_void_run_are_written_and_the_command_fails) {
  auto record = synthetic_run({.rounds = 6});
  record.caveats_found.push_back(bench::caveats::run_void{"mine: wrong reply"});
  const scratch_folder folder;
  folder.write("run.ndjson", ndjson_of(record));
  BOOST_CHECK_EXCEPTION(
      bench::report_command({folder.path().string()}), bench::run_invalid, [&](const auto& error) {
        return std::string{error.what()} ==
               folder.path().string() +
                   ": a reply was wrong, and one wrong byte voids the run: mine: wrong reply";
      });
  for (const auto* name : {"report.json", "report.csv", "report.md", "report.html"})
    BOOST_TEST(std::filesystem::exists(folder / name), name);
  BOOST_CHECK_THROW(bench::report_command({""}), bench::usage_error);
}

BOOST_AUTO_TEST_CASE(of_a_target_every_form_gives_throughput_and_says_why_nothing_else) {
  const auto record = with_target(synthetic_run({.select_too = false, .open_loop = false}));
  const auto found = analyse(record);
  for (const auto& row : found.costs) {
    BOOST_TEST(row.verdict.what == finding::unmeasured);
    BOOST_TEST(row.contender.cpu_ns.n == 0);
    BOOST_TEST(row.base.cpu_ns.n == 10);
    BOOST_TEST(row.ratio.n == 0);
  }
  BOOST_TEST(found.loads.size() == 3U);
  for (const auto& row : found.loads) BOOST_TEST(row.contender.messages_per_second.n == 10);
  BOOST_REQUIRE(found.headlines.size() == 1U);
  BOOST_TEST(found.headlines.front().starts_with("On c64/512, loaded alone, api answers "));
  auto forms = every_form(record);
  forms[3] = without_tags(forms[3]);
  for (const auto& form : forms) {
    BOOST_TEST(contains(form, "n/a: api was not started here"), form);
    BOOST_TEST(contains(form, "api at 10.0.0.1:25000 was not started here"), form);
    BOOST_TEST(contains(form, "loaded alone, api answers"), form);
    BOOST_TEST(!contains(form, "too few for a 95 % interval"), form);
  }
  for (const std::size_t form : {1U, 2U, 3U, 4U})
    BOOST_TEST(contains(forms[form], "n/a: not started here"), forms[form]);  // for its memory
}

BOOST_AUTO_TEST_CASE(every_form_says_which_prefix_each_server_has) {
  auto record = synthetic_run({.select_too = false});
  for (auto& each : record.header.servers) each.prefix = "GOT:";
  for (const auto& form : every_form(record)) {
    if (form.starts_with("{")) continue;  // in JSON each server has a member for it
    BOOST_TEST((contains(form, "prefix \"GOT:\" of all") ||
                contains(form, "prefix &quot;GOT:&quot; of all") ||
                contains(form, "prefix \"\"GOT:\"\" of all")),
               form);
  }
  record.header.servers[1].prefix = "";
  const auto text = bench::summary_text(record, {.width = 160}, bench::detail::whole);
  BOOST_TEST(contains(text, "prefix none of fibers/epoll"), text);
}

BOOST_AUTO_TEST_CASE(a_run_without_any_block_is_reported_as_such) {
  auto record = synthetic_run({.rounds = 0});
  record.memory.clear();
  record.end.reset();
  const auto forms = every_form(record);
  for (const std::size_t form : {2U, 3U, 4U})
    BOOST_TEST(contains(forms[form], "No block was measured"));
}

BOOST_AUTO_TEST_CASE(blocks_of_one_kind_only_have_a_headline_in_every_form) {
  for (const auto kind :
       {bench::block_kind::exclusive, bench::block_kind::open_loop, bench::block_kind::duet}) {
    auto record = synthetic_run({.control = false});
    std::erase_if(record.blocks, [=](const auto& block) { return block.kind != kind; });
    BOOST_TEST(!analyse(record).headlines.empty());
    for (const auto& form : every_form(record)) BOOST_TEST(!contains(form, "No block"));
  }
}

// Suites compare a server with itself plus an injected microsecond. Reports say if it was found.
BOOST_AUTO_TEST_CASE(an_injected_cost_is_found_and_said_and_leads_no_report) {
  for (const double burnt : {1000.0, 0.0}) {
    auto record = synthetic_run(
        {.select_too = false,
         .open_loop = false,
         .library_ns = {
             {"fibers/epoll", 55 + burnt}, {"asio-callback/epoll", 55}, {"floor/epoll", 0}}});
    const bench::comparison injected{"fibers/epoll", "fibers/epoll/inject1000ns", "floor/epoll"};
    std::erase_if(record.blocks, [](const auto& each) { return each.control; });
    for (auto& block : record.blocks) block.comparison = injected;
    record.header.comparisons = {injected};
    const auto in_words =
        burnt > 0 ? "burnt in fibers/epoll on c1/64: found, " : " on c1/64: not found, ";
    for (const std::size_t form : {2U, 3U, 4U}) {
      BOOST_TEST(contains(unwrapped(every_form(record)[form]), in_words));
    }
    auto with_others = record;
    const auto others = synthetic_run();
    std::copy(others.blocks.begin(), others.blocks.end(), std::back_inserter(with_others.blocks));
    for (const auto& each : analyse(with_others).headlines)
      BOOST_TEST(!contains(each, "inject"), each);
  }
}

// With the delay in the base, the contender is lower. A row that compares unlike servers says
// nothing, because their difference is not known.
BOOST_AUTO_TEST_CASE(each_injected_row_is_told) {
  const synthetic_truth truth{
      .select_too = false,
      .open_loop = false,
      .library_ns = {{"fibers/epoll", 2055}, {"asio-callback/epoll", 55}, {"floor/epoll", 0}}};
  auto record = synthetic_run(truth);
  std::erase_if(record.blocks, [](const auto& each) { return each.control; });
  const auto measured = record.blocks;
  record.blocks.clear();
  record.header.comparisons = {{"fibers/epoll", "fibers/epoll/inject2000ns", "floor/epoll"},
                               {"fibers/epoll/inject500ns", "fibers/epoll", "floor/epoll"},
                               {"asio-callback/epoll", "fibers/epoll/inject9ns", "floor/epoll"}};
  for (const auto& each : record.header.comparisons)
    for (auto block : measured) {
      block.comparison = each;
      record.blocks.push_back(block);
    }
  for (const std::size_t form : {1U, 2U, 3U, 4U}) {
    const auto text = unwrapped(every_form(record)[form]);
    BOOST_TEST(contains(text, "2,000 ns per message burnt in fibers/epoll on c64/512: found, "));
    BOOST_TEST(contains(text, "2,000 ns per message burnt in fibers/epoll on c1/64: found, "));
    BOOST_TEST(contains(text,
                        "500 ns per message burnt in fibers/epoll on c64/512: not found but called "
                        "higher, "));
    BOOST_TEST(!contains(text, " 9 ns per message burnt"));
  }
}

BOOST_AUTO_TEST_CASE(what_is_burnt_at_a_receive_of_several_messages_is_not_called_per_message) {
  auto record = synthetic_run();
  record.header.comparisons = {{"fibers/epoll", "fibers/epoll/inject2000ns", "floor/epoll"}};
  for (auto& block : record.blocks) {
    if (!block.control) block.comparison = record.header.comparisons.front();
    block.scenario.depth = 16;
  }
  const auto text = unwrapped(every_form(record)[2]);
  BOOST_TEST(contains(text, "2,000 ns per receive burnt in fibers/epoll on c64/512/d16: "));
  BOOST_TEST(!contains(text, "2,000 ns per message burnt"));
}

BOOST_AUTO_TEST_CASE(hostile_names_stay_text) {
  auto record = synthetic_run({.rounds = 6});
  const std::string hostile = "<script>alert(\"1\")</script>|a,b";
  for (auto& block : record.blocks) {
    block.comparison.contender = hostile;
    for (auto& slice : block.slices)
      if (slice.launch == 1) slice.server = hostile;
  }
  record.header.command_line = hostile;
  const auto forms = every_form(record);
  for (const auto& html : {forms[3], page_of(record, with_charts)}) {
    BOOST_TEST(!contains(html, "<script>alert"));
    BOOST_TEST(first_unbalanced(without_scripts(html)) == "");
  }
  BOOST_TEST(contains(forms[2], "&lt;/script>\\|a,b"));
  for (const auto& line : lines_of(forms[1])) BOOST_TEST(csv_cells(line) == 11, line);
}

BOOST_AUTO_TEST_CASE(all_files_are_written_and_nothing_else_is_left) {
  const auto names_in = [](const std::filesystem::path& folder) {
    std::vector<std::string> names;
    for (const auto& each : std::filesystem::directory_iterator{folder})
      names.push_back(each.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  };
  std::vector<std::string> expected{"report.csv", "report.github-action-benchmark.json",
                                    "report.html", "report.json", "report.md"};
  const scratch_folder old;
  bench::write_reports(synthetic_run({.latencies = false}), old.path());
  BOOST_TEST(names_in(old.path()) == expected, boost::test_tools::per_element());
  const scratch_folder folder;
  bench::write_reports(synthetic_run(), folder.path());
  expected.insert(expected.begin(), {"latency", "latency.hlog"});
  BOOST_TEST(names_in(folder.path()) == expected, boost::test_tools::per_element());
  BOOST_TEST(names_in(folder / "latency").size() == 2U * 6 + 2 * 2);
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_named_and_the_old_report_stays) {
  const scratch_folder folder;
  folder.write("report.json", "old");
  std::filesystem::create_symlink("/dev/full", folder / "report.json.unfinished");
  try {
    bench::write_reports(synthetic_run({.rounds = 1}), folder.path());
    BOOST_ERROR("a full disk went unnoticed");
  } catch (const std::runtime_error& error) {
    BOOST_TEST(contains(error.what(), "report.json: No space left on device"), error.what());
  }
  BOOST_TEST(folder.read("report.json") == "old");
  BOOST_TEST(!std::filesystem::exists(folder / "report.json.unfinished"));
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_not_there_is_named) {
  const scratch_folder folder;
  try {
    bench::write_reports(synthetic_run({.rounds = 1}), folder / "none");
    BOOST_ERROR("a missing folder went unnoticed");
  } catch (const std::runtime_error& error) {
    BOOST_TEST(contains(error.what(), "none/report.json: No such file or directory"), error.what());
  }
}

BOOST_AUTO_TEST_CASE(the_round_after_the_largest_has_a_number) {
  auto record = synthetic_run({.rounds = 2});
  for (auto& block : record.blocks) block.round = std::numeric_limits<int>::max() - block.round;
  BOOST_TEST(contains(page_of(record, without_charts), ">2147483648<"));
}
