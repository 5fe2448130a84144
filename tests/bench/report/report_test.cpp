// Every report says the same, says its caveats, and survives what a run can look like.
#include <bench/analysis/analysis.hpp>
#include <bench/command/commands.hpp>
#include <bench/report/forms.hpp>
#include <bench/report/json.hpp>
#include <bench/report/report.hpp>
#include <bench/text/failure.hpp>

#include <unistd.h>
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <tests/bench/report/json_schema.hpp>
#include <tests/bench/synthetic_run.hpp>
#include <tests/scratch_folder.hpp>

namespace bench {
std::ostream& operator<<(std::ostream& out, finding what) {
  return out << static_cast<int>(what);
}
}  // namespace bench

namespace {

using bench::analyse;
using bench::finding;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The terminal breaks lines and indents what follows.
std::string unwrapped(std::string text) {
  for (auto at = text.find("\n  "); at != std::string::npos; at = text.find("\n  "))
    text.replace(at, 3, " ");
  return text;
}

const bench::cost_row& row_of(const bench::results& found, std::string_view scenario,
                              std::string_view contender) {
  for (const auto& row : found.costs)
    if (row.scenario.text() == scenario && row.contender.server == contender) return row;
  throw std::logic_error{"no such row: " + std::string{scenario} + " " + std::string{contender}};
}

std::string page_of(const bench::run_record& record, const bench::page_script& script) {
  return bench::html_report(record.header, analyse(record), script);
}

// Whatever this was built with: a script that draws nothing, and none.
constexpr std::array<std::string_view, 1> some_script{"0;"};
constexpr bench::page_script with_charts{some_script, "sha256-0", some_script};
constexpr bench::page_script without_charts{{}, {}, {}, "nobody could draw them"};

std::vector<std::string> every_form(const bench::run_record& record) {
  const auto found = analyse(record);
  return {bench::json_report(record.header, found), bench::csv_report(record.header, found),
          bench::markdown_report(record.header, found), page_of(record, without_charts),
          bench::terminal_report(record.header, found, {})};
}

// fibers/epoll is now somebody else's server: nothing is known of its process.
bench::run_record with_target(bench::run_record record) {
  const std::string was = "fibers/epoll";
  const auto rename = [&](std::string& name) { name = name == was ? "api" : name; };
  for (auto& pair : record.header.comparisons)
    if (pair.contender == was) pair = {pair.base, "api", std::nullopt};
  for (auto& server : record.header.servers)
    if (server.name == was)
      server = {.name = "api", .command = "", .target = "10.0.0.1:25000", .prefix = ""};
  std::erase_if(record.memory, [&](const auto& sample) { return sample.server == was; });
  std::erase_if(record.blocks, [&](const bench::block& block) {
    return block.kind == bench::block_kind::duet && block.comparison.contender == was;
  });
  for (auto& block : record.blocks) {
    if (block.comparison.contender != was) continue;
    block.comparison = {block.comparison.base, "api", std::nullopt};
    for (auto& slice : block.slices) {
      rename(slice.server);
      if (slice.server == "api") slice.cpu_ns.reset();
    }
  }
  record.caveats_found.push_back(bench::caveats::not_started_here{"api", "10.0.0.1:25000"});
  return record;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::size_t columns_of(const std::string& utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char each) { return (each & 0xc0) != 0x80; }));
}

int csv_cells(const std::string& line) {
  int cells = 1;
  bool quoted = false;
  for (const char each : line) {
    if (each == '"')
      quoted = !quoted;
    else if (each == ',' && !quoted)
      ++cells;
  }
  return cells;
}

// What a reader finds where scripts do not run: the page without the texts of its scripts.
std::string without_scripts(std::string html) {
  for (auto at = html.find("<script"); at != std::string::npos; at = html.find("<script", at)) {
    const auto end = html.find("</script>", at);
    BOOST_REQUIRE(end != std::string::npos);
    html.erase(at, end + std::string{"</script>"}.size() - at);
  }
  return html;
}

std::string without_tags(std::string html) {
  for (auto at = html.find('<'); at != std::string::npos; at = html.find('<', at))
    html.erase(at, html.find('>', at) + 1 - at);
  return html;
}

// Each opened element is closed by its own name, in order.
std::string first_unbalanced(const std::string& html) {
  std::vector<std::string> open;
  for (auto at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const auto end = html.find('>', at);
    const auto tag = html.substr(at + 1, end - at - 1);
    const auto name = tag.substr(0, tag.find_first_of(" \n"));
    if (name == "!doctype" || name == "meta" || name == "br" || tag.back() == '/') continue;
    if (name.front() != '/') {
      open.push_back(name);
    } else {
      if (open.empty() || open.back() != name.substr(1)) return tag;
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back();
}

boost::json::value parsed_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return boost::json::parse(text.str());
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_planted_overheads_are_found_though_the_kernels_share_wanders) {
  const auto found = analyse(synthetic_run({.rounds = 20, .noise = 0.002}));
  const auto& row = row_of(found, "c64/512", "fibers/epoll");
  BOOST_REQUIRE(row.contender.overhead_ns && row.base.overhead_ns);
  BOOST_TEST(!row.contender.overhead_ns->range->excludes(55));
  BOOST_TEST(!row.base.overhead_ns->range->excludes(480));
  BOOST_TEST(row.contender.overhead_ns->range->half_width() < 10);
  BOOST_TEST(row.verdict.what == finding::cheaper);
  BOOST_TEST(std::abs(row.overhead_ratio->value - 55.0 / 480) < 0.03);
  BOOST_TEST(found.headlines.front().starts_with("On c64/512, fibers/epoll costs 5"));
  BOOST_TEST(
      contains(found.headlines.front(), "a message above the bare loop, asio-callback/epoll 4"));
}

BOOST_AUTO_TEST_CASE(two_servers_that_cost_the_same_are_not_called_different) {
  synthetic_truth truth;
  truth.noise = 0.004;
  truth.library_ns["fibers/epoll"] = truth.library_ns["asio-callback/epoll"];
  const auto found = analyse(synthetic_run(truth));
  const auto said = row_of(found, "c64/512", "fibers/epoll").verdict.what;
  BOOST_TEST((said == finding::equivalent || said == finding::inconclusive));
}

BOOST_AUTO_TEST_CASE(a_control_block_is_never_a_result) {
  const auto found = analyse(synthetic_run());
  BOOST_TEST(found.controls.size() == 1U);
  BOOST_TEST(found.controls[0].blocks.size() == 10U);
  for (const auto& row : found.costs) BOOST_TEST(row.base.server != row.contender.server);
  BOOST_REQUIRE(found.noise);
  BOOST_TEST(found.noise->grade == 'A');
}

BOOST_AUTO_TEST_CASE(rows_of_exclusive_blocks_are_judged_by_a_control_of_such_blocks) {
  auto record = synthetic_run({.exclusive_noise = 0.1});
  const auto measured = record.blocks;
  for (auto block : measured) {
    if (block.kind != bench::block_kind::exclusive || block.scenario.connections != 64) continue;
    if (block.comparison.base != "asio-callback/epoll") continue;
    block.control = true;
    block.comparison.contender = block.comparison.base;
    record.blocks.push_back(block);
  }
  const auto found = bench::analyse(record);
  BOOST_TEST(found.controls.size() == 2U);
  BOOST_REQUIRE(found.noise_alone.has_value());
  BOOST_TEST(found.noise_alone->spread > found.noise->spread);
  BOOST_TEST(found.margin_alone > found.margin);
  BOOST_TEST(bench::analyse(synthetic_run()).margin_alone ==
             bench::analyse(synthetic_run()).margin);
}

BOOST_AUTO_TEST_CASE(memory_a_connection_is_the_slope_and_not_the_start) {
  const auto found = analyse(synthetic_run());
  BOOST_REQUIRE(!found.memory.empty());
  for (const auto& row : found.memory)
    if (row.server == "fibers/epoll")
      BOOST_TEST(*row.kib_per_connection == 9.1, boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(memory_at_one_count_only_has_no_slope) {
  auto record = synthetic_run();
  record.memory.resize(1);
  BOOST_TEST(!analyse(record).memory.front().kib_per_connection);
}

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
    BOOST_TEST(row.throughput_ratio.n == 0);  // it would be the client's
  }
  const auto forms = every_form(record);
  for (const std::size_t machine_readable : {0U, 1U})
    BOOST_TEST(contains(forms[machine_readable],
                        "fibers/epoll on c64/512: the client used 97 % of its core"));
  for (const std::size_t for_people : {2U, 3U})
    BOOST_TEST(contains(forms[for_people], "fibers/epoll on c64/512 (97 %)"));
  BOOST_TEST(contains(forms[4], "the client was at the limit of its core"));
}

BOOST_AUTO_TEST_CASE(one_processor_has_no_throughput_ratio) {
  auto record = synthetic_run();
  BOOST_TEST(analyse(record).loads.front().throughput_ratio.n > 0);
  record.header.machine.cpus = 1;
  for (const auto& row : analyse(record).loads) BOOST_TEST(row.throughput_ratio.n == 0);
}

BOOST_AUTO_TEST_CASE(who_comes_near_a_bare_loop_that_waits_for_the_client_waits_for_it_too) {
  auto record = synthetic_run();
  const auto measured = record.blocks;
  for (auto block : measured) {
    if (block.kind != bench::block_kind::exclusive || block.scenario.connections != 64) continue;
    if (block.comparison.base != "asio-callback/epoll") continue;
    block.comparison.base = "floor/epoll";
    for (auto& each : block.slices)
      if (each.launch == 0) each.client_utilisation = 0.97;
    record.blocks.push_back(block);
  }
  for (const auto& row : analyse(record).loads) {
    // Whoever else has that load comes as near.
    const bool limited = row.scenario.connections == 64;
    BOOST_TEST(row.contender.client_limited == limited, row.scenario.text() << row.comparison.base);
  }
}

BOOST_AUTO_TEST_CASE(an_open_loop_is_a_row_of_its_own_that_tells_response_from_service) {
  const auto record = synthetic_run();
  const auto found = analyse(record);
  BOOST_REQUIRE(found.open_loops.size() == 1U);
  const auto& row = found.open_loops.front();
  BOOST_TEST(row.rate_per_second.value == 20'000, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(!row.contender.saturated);
  BOOST_TEST(row.contender.answered == 1.0);
  BOOST_TEST(row.contender.response_p50_us.n == 10);
  BOOST_TEST(row.contender.response_p50_us.value > row.contender.service_p50_us.value + 8);
  BOOST_TEST(row.contender.late_p99_us.value == 3.0, boost::test_tools::tolerance(1e-9));
  for (const auto& cost : found.costs) BOOST_TEST(!cost.scenario.open_loop());
  for (const auto& load : found.loads) BOOST_TEST(!load.scenario.open_loop());
  const auto forms = every_form(record);
  BOOST_TEST(contains(forms[1], "response_p99_open_loop"));
  BOOST_TEST(contains(forms[1], "service_p99_open_loop"));
  BOOST_TEST(contains(forms[2], "Loaded alone, open loop"));
  BOOST_TEST(contains(forms[3], "Latency by percentile, open loop"));
  BOOST_TEST(contains(forms[4], "Loaded alone, open loop"));
}

BOOST_AUTO_TEST_CASE(rare_latencies_are_of_all_blocks_together_and_runs_without_them_have_none) {
  const auto record = synthetic_run();
  const auto found = analyse(record);
  for (const auto& row : found.loads) {
    const auto& all = row.contender.latency.value();
    BOOST_TEST(all.messages == 1000 * 2 * 10);
    BOOST_TEST(all.p50_us == row.contender.p50_us.value, boost::test_tools::tolerance(0.1));
    BOOST_TEST(all.p99_us < all.p999_us);
    BOOST_TEST(all.p999_us < all.max_us);
    BOOST_REQUIRE(all.curve_us.size() == 31U);
    BOOST_TEST(std::is_sorted(all.curve_us.begin(), all.curve_us.end()));
    BOOST_TEST(all.curve_us[10] == all.p90_us);
    BOOST_TEST(all.curve_us[20] == all.p99_us);
    BOOST_TEST(all.curve_us[30] == all.p999_us);
  }
  const auto& open = found.open_loops.front().base;
  BOOST_TEST(open.response->p50_us > open.service->p50_us + 8);
  const auto forms = every_form(record);
  for (const auto* metric :
       {"latency_p999_closed_loop,us,", "response_p999_open_loop,us,", "service_max_open_loop,us,"})
    BOOST_TEST(contains(forms[1], metric), metric);
  BOOST_TEST(contains(forms[2], "p99.9, µs"));
  BOOST_TEST(contains(forms[3], "p99.9, µs"));
  const auto old = synthetic_run({.latencies = false});
  BOOST_TEST(!analyse(old).loads.front().base.latency);
  BOOST_TEST(!contains(every_form(old)[1], "p999"));
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_keep_up_is_called_saturated_and_gets_no_numbers) {
  const auto record = synthetic_run({.answered = 0.97});
  const auto found = analyse(record);
  for (const auto* side : {&found.open_loops.front().base, &found.open_loops.front().contender}) {
    BOOST_TEST(side->saturated);
    BOOST_TEST(side->response_p99_us.n == 0);
    BOOST_TEST(side->service_p50_us.n == 0);
  }
  for (const auto& form : every_form(record)) BOOST_TEST(contains(form, "saturated"));
  BOOST_TEST(!contains(every_form(record)[1], "response_p99_open_loop"));
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

// Whether a caveat says so; then it is one, and in every report.
bool has_caveat(const bench::run_record& record, const std::string& sentence) {
  const auto found = analyse(record);
  const auto count = std::count_if(found.caveats.begin(), found.caveats.end(), [&](auto& each) {
    return contains(bench::text_of(each), sentence);
  });
  BOOST_TEST(count <= 1);
  for (auto form : every_form(record)) {
    std::replace(form.begin(), form.end(), '\n', ' ');
    if (count == 1) BOOST_TEST(contains(form, sentence), sentence);
  }
  return count == 1;
}

BOOST_AUTO_TEST_CASE(what_others_took_in_the_median_block_is_a_caveat) {
  auto record = synthetic_run();
  BOOST_TEST(!has_caveat(record, "other programs took"));
  BOOST_TEST(!has_caveat(record, "the hypervisor took"));
  for (auto& block : record.blocks) block.foreign_cpu_share = block.round < 4 ? 0.9 : 0.01;
  BOOST_TEST(!has_caveat(record, "other programs took"));
  for (auto& block : record.blocks) block.foreign_cpu_share = block.round < 4 ? 0.01 : 0.3;
  BOOST_TEST(has_caveat(record, "other programs took 30 % of the server core"));
  BOOST_TEST(!has_caveat(record, "the hypervisor took"));
  for (auto& block : record.blocks) block.steal_share = 0.2;
  BOOST_TEST(has_caveat(record, "the hypervisor took 20 % of the server core"));
}

BOOST_AUTO_TEST_CASE(a_governor_that_follows_the_load_is_a_caveat) {
  auto record = synthetic_run();
  for (const auto* governor : {"n/a", "", "performance"}) {
    record.header.machine.governor = governor;
    BOOST_TEST(!has_caveat(record, "the governor is"));
  }
  record.header.machine.governor = "powersave";
  BOOST_TEST(has_caveat(record, "the governor is powersave"));
}

BOOST_AUTO_TEST_CASE(replies_that_wait_for_an_acknowledgement_are_a_caveat) {
  struct observed {
    double p50_us, client, server;  // shares of their cores
    bool delayed;
  };
  for (const auto& [p50_us, client, server, delayed] :
       {observed{43'900, 0.02, 0.01, true}, observed{43'900, 0.8, 0.01, false},
        observed{43'900, 0.02, 0.99, false}, observed{900, 0.02, 0.01, false}}) {
    auto record = synthetic_run({.utilisation = client});
    for (auto& block : record.blocks)
      for (auto& slice : block.slices)
        if (slice.server == "fibers/select" && block.scenario.connections == 1) {
          slice.p50_us = p50_us;
          slice.cpu_ns = server * slice.seconds * 1e9;
        }
    BOOST_TEST(has_caveat(record, "fibers/select on c1/64: half of the replies took 44 ms") ==
               delayed);
  }
}

BOOST_AUTO_TEST_CASE(noise_grade_d_is_a_caveat) {
  BOOST_TEST(!has_caveat(synthetic_run(), "noise grade D"));
  BOOST_TEST(has_caveat(synthetic_run({.noise = 0.2}), "noise grade D: a server against itself"));
}

BOOST_AUTO_TEST_CASE(threads_that_differ_are_a_caveat) {
  auto record = synthetic_run();
  BOOST_TEST(!has_caveat(record, "different numbers of threads"));
  record.header.servers[1].announced["threads"] = "2";
  BOOST_TEST(has_caveat(record, "use different numbers of threads"));
}

BOOST_AUTO_TEST_CASE(of_many_processors_one_that_is_allowed_has_no_throughput_ratio_either) {
  auto record = synthetic_run();
  record.caveats_found.push_back(bench::caveats::one_cpu{});
  for (const auto& row : analyse(record).loads) BOOST_TEST(row.throughput_ratio.n == 0);
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
    for (const auto* word : {"cheaper by", "dearer by", "equivalent ("})
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

BOOST_AUTO_TEST_CASE(at_noise_grade_d_no_row_is_called_equivalent) {
  synthetic_truth truth{.noise = 0.002, .control_swing = 0.15};
  truth.library_ns["fibers/epoll"] = truth.library_ns["asio-callback/epoll"];
  const auto found = analyse(synthetic_run(truth));
  BOOST_REQUIRE(found.noise.has_value());
  BOOST_TEST(found.noise->grade == 'D');
  for (const auto& row : found.costs) BOOST_TEST(row.verdict.what != finding::equivalent);
  truth.control_swing = 0.05;
  const auto quieter = analyse(synthetic_run(truth));
  BOOST_TEST(row_of(quieter, "c64/512", "fibers/epoll").verdict.what == finding::equivalent);
}

BOOST_AUTO_TEST_CASE(one_processor_is_a_caveat) {
  auto record = synthetic_run();
  record.header.machine.cpus = 1;
  BOOST_TEST(has_caveat(record, "one CPU only"));
}

BOOST_AUTO_TEST_CASE(a_killed_run_counts_only_its_complete_rounds) {
  auto record = synthetic_run({.rounds = 8});
  record.end.reset();
  record.blocks.resize(record.blocks.size() - 5);
  const auto found = analyse(record);
  BOOST_REQUIRE(found.caveats.size() == 1U);
  BOOST_TEST(bench::text_of(found.caveats[0]) == "the run ended early, after 7 of 8 rounds");
}

BOOST_AUTO_TEST_CASE(a_first_round_that_none_followed_is_not_called_complete) {
  auto record = synthetic_run({.rounds = 5});
  record.end = bench::run_end::interrupted;
  record.blocks.resize(1);
  BOOST_TEST(has_caveat(record, "the run ended early, after 0 of 5 rounds"));
}

BOOST_AUTO_TEST_CASE(blocks_that_follow_each_other_are_called_correlated) {
  auto record = synthetic_run({.rounds = 20});
  for (auto& block : record.blocks)
    for (auto& slice : block.slices)
      if (slice.launch == 1 && !block.control) *slice.cpu_ns *= 1 + 0.02 * block.round;
  const auto caveats_found = analyse(record).caveats;
  BOOST_TEST(std::any_of(caveats_found.begin(), caveats_found.end(), [](const auto& each) {
    return std::holds_alternative<bench::caveats::blocks_correlated>(each);
  }));
}

BOOST_AUTO_TEST_CASE(a_block_without_messages_has_no_number_and_is_counted) {
  auto record = synthetic_run({.rounds = 10});
  record.blocks.front().slices.front().messages = 0;
  const auto found = analyse(record);
  BOOST_TEST(row_of(found, "c1/64", "fibers/epoll").ratio.n == 9);
  BOOST_REQUIRE(found.caveats.size() == 1U);
  BOOST_TEST(contains(bench::text_of(found.caveats[0]), "no message came back in 1 block,"));
  for (auto form : every_form(record)) {
    form = without_scripts(form);
    for (auto at = form.find("nan"); at != std::string::npos; at = form.find("nan", at + 1))
      BOOST_TEST(form.substr(at, 10) == "nanosecond");
  }
}

BOOST_AUTO_TEST_CASE(a_block_that_costs_nothing_is_left_out_and_counted) {
  for (const std::optional<double> cpu_ns : {std::optional{0.0}, {-1.0}, {std::nullopt}}) {
    auto record = synthetic_run({.rounds = 10});
    record.blocks.front().slices.front().cpu_ns = cpu_ns;
    const auto found = analyse(record);
    BOOST_TEST(row_of(found, "c1/64", "fibers/epoll").ratio.n == 9);
    BOOST_REQUIRE(found.caveats.size() == 1U);
    BOOST_TEST(bench::text_of(found.caveats[0]) ==
               "fibers/epoll and asio-callback/epoll on c1/64: 1 block is left out of what CPU "
               "costs, because no CPU time was counted for a server that answered");
  }
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
    BOOST_TEST(contains(forms[form], "n/a: not started here"), forms[form]);  // its memory
}

BOOST_AUTO_TEST_CASE(every_form_says_which_prefix_each_server_has) {
  auto record = synthetic_run({.select_too = false});
  for (auto& each : record.header.servers) each.prefix = "GOT:";
  for (const auto& form : every_form(record)) {
    if (form.starts_with("{")) continue;  // there it is a member of each server
    BOOST_TEST((contains(form, "prefix \"GOT:\" of all") ||
                contains(form, "prefix &quot;GOT:&quot; of all") ||
                contains(form, "prefix \"\"GOT:\"\" of all")),
               form);
  }
  record.header.servers[1].prefix = "";
  const auto text = bench::summary_text(record, {.width = 160});
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

BOOST_AUTO_TEST_CASE(an_open_loop_alone_leads_with_its_response_times) {
  auto record = synthetic_run({.control = false});
  std::erase_if(record.blocks,
                [](const auto& block) { return block.kind != bench::block_kind::open_loop; });
  const auto found = analyse(record);
  BOOST_REQUIRE(found.headlines.size() == 1U);
  BOOST_TEST(
      contains(found.headlines.front(),
               "On c64/512/r50%, with 20,000 messages due a second, fibers/epoll answers in "));
  BOOST_TEST(contains(found.headlines.front(), " us p99, asio-callback/epoll answers in "));
}

BOOST_AUTO_TEST_CASE(each_comparison_has_its_own_leading_scenario) {
  auto record = synthetic_run();
  std::erase_if(record.blocks, [](const auto& block) {
    return block.comparison.base == "asio-callback/select" && block.scenario.text() == "c64/512";
  });
  const auto found = analyse(record);
  BOOST_REQUIRE(found.headlines.size() == 2U);
  BOOST_TEST(found.headlines[0].starts_with("On c64/512, fibers/epoll"));
  BOOST_TEST(found.headlines[1].starts_with("On c1/64, fibers/select"));
}

BOOST_AUTO_TEST_CASE(one_block_is_one_and_one_more_gives) {
  const auto one = every_form(synthetic_run({.rounds = 1}))[4];
  BOOST_TEST(contains(one, "c1/64, c64/512, c256/64: inconclusive: 1 block is too few"));
  BOOST_TEST(contains(analyse(synthetic_run({.rounds = 5})).costs.front().verdict.words,
                      "5 blocks are too few for a 95 % interval; 1 more gives one"));
}

BOOST_AUTO_TEST_CASE(without_a_floor_the_headline_is_the_whole_cost) {
  auto record = synthetic_run();
  for (auto& pair : record.header.comparisons) pair.floor.reset();
  for (auto& block : record.blocks) {
    block.comparison.floor.reset();
    std::erase_if(block.slices, [](const auto& slice) { return slice.launch == 2; });
  }
  const auto found = analyse(record);
  BOOST_TEST(contains(found.headlines.front(), "ns ["));
  BOOST_TEST(contains(found.headlines.front(), "of CPU a message, asio-callback/epoll"));
  BOOST_TEST(every_form(record).size() == 5U);
}

BOOST_AUTO_TEST_CASE(servers_that_never_shared_a_block_are_decided_by_exclusive_ones) {
  auto record = synthetic_run({.exclusive_noise = 0.01});
  std::erase_if(record.blocks, [](const auto& block) {
    return block.kind == bench::block_kind::duet && !block.control;
  });
  const auto found = analyse(record);
  const auto& row = row_of(found, "c64/512", "fibers/select");
  BOOST_TEST((row.decided_by == bench::block_kind::exclusive));
  BOOST_TEST(row.verdict.what == finding::cheaper);
  BOOST_TEST(row.ratio.value == row.exclusive_ratio.value);
  BOOST_TEST(contains(every_form(record)[4], "from exclusive blocks"));
}

// What a run proves of itself: a microsecond that was put in comes out.
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

BOOST_AUTO_TEST_CASE(conflicting_block_kinds_give_no_verdict) {
  auto record = synthetic_run({.noise = 0.002, .exclusive_noise = 0.002});
  for (auto& block : record.blocks)
    for (auto& slice : block.slices)
      if (block.kind == bench::block_kind::exclusive && slice.launch == 1) *slice.cpu_ns *= 1.5;
  const auto found = analyse(record);
  BOOST_TEST(row_of(found, "c64/512", "fibers/epoll").verdict.what == finding::conflict);
  for (const auto& form : every_form(record)) BOOST_TEST(contains(form, "conflict"));
}

BOOST_AUTO_TEST_CASE(the_csv_is_one_tidy_table) {
  const auto lines = lines_of(every_form(synthetic_run({.utilisation = 0.97}))[1]);
  BOOST_REQUIRE(lines.size() > 50U);
  BOOST_TEST(lines[0] ==
             "scenario,base,contender,server,metric,unit,estimate,low,high,blocks,words");
  for (const auto& line : lines) BOOST_TEST(csv_cells(line) == 11, line);
}

BOOST_AUTO_TEST_CASE(long_names_of_servers_keep_the_columns_apart) {
  auto record = synthetic_run({.rounds = 3});
  const std::string longer = "asio-callback/epoll/t2/shared";
  const auto rename = [&](std::string& name) {
    if (name == "asio-callback/epoll") name = longer;
  };
  for (auto& block : record.blocks) {
    rename(block.comparison.base);
    for (auto& slice : block.slices) rename(slice.server);
  }
  for (auto& pair : record.header.comparisons) rename(pair.base);
  for (auto& sample : record.memory) rename(sample.server);
  const auto text = bench::summary_text(record, {.width = 80});
  for (const auto& line : lines_of(text)) BOOST_TEST(columns_of(line) <= 80U, line);
  for (auto at = text.find(longer); at != std::string::npos; at = text.find(longer, at + 1))
    BOOST_TEST(std::string{" \n,;:."}.find(text[at + longer.size()]) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_terminal_form_fits_its_columns) {
  for (const int width : {80, 120}) {
    for (const auto& record : {synthetic_run(), synthetic_run({.rounds = 7, .noise = 0.05})}) {
      const auto text =
          bench::summary_text(record, {.width = width, .colour = false, .unicode = true});
      for (const auto& line : lines_of(text))
        BOOST_TEST(columns_of(line) <= static_cast<std::size_t>(width), line);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_pipe_gets_neither_colour_nor_anything_but_ascii) {
  const auto plain = bench::summary_text(synthetic_run(), {});
  BOOST_TEST(std::all_of(plain.begin(), plain.end(),
                         [](char each) { return each == '\n' || (each >= ' ' && each <= '~'); }));
  const auto coloured = bench::summary_text(synthetic_run(), {.width = 80, .colour = true});
  BOOST_TEST(contains(coloured, "\x1b[1;36mcheaper"));
}

BOOST_AUTO_TEST_CASE(the_page_is_well_formed_and_asks_nobody_for_anything) {
  for (const auto& script : {with_charts, without_charts, bench::bundled_script()}) {
    const auto html = page_of(synthetic_run({.utilisation = 0.97}), script);
    const auto read = without_scripts(html);
    BOOST_TEST(first_unbalanced(read) == "");
    BOOST_TEST(contains(html, "default-src 'none'"));
    for (const auto* forbidden :
         {"<link", "href=", "src=", "srcset=", "url(", "@import", "=\"http"})
      BOOST_TEST(!contains(read, forbidden), forbidden);
    BOOST_TEST(html.size() < 500'000U);
  }
}

BOOST_AUTO_TEST_CASE(only_a_page_with_charts_says_how_they_are_read) {
  const auto drawn = without_scripts(page_of(synthetic_run(), with_charts));
  const auto bare = page_of(synthetic_run(), without_charts);
  const auto body = bare.substr(bare.find("<body"));
  for (const auto* part :
       {"Each mark", "ribbons and whiskers", "hollow mark", "Lines and p99.9",
        "dashed:", "Marks up to p99", "Logarithmic scale", "haded", "The charts are drawn by"}) {
    BOOST_TEST(contains(drawn, part), part);
    BOOST_TEST(!contains(body, part), part);
  }
  BOOST_TEST(!contains(drawn, "no charts"));
  BOOST_TEST(contains(bare, "The page has its tables and no charts: nobody could draw them."));
}

BOOST_AUTO_TEST_CASE(the_page_answers_in_the_order_of_a_sceptics_questions) {
  const auto html = every_form(synthetic_run())[3];
  std::size_t last = 0;
  for (const auto* title :
       {"<h1>", "Can I trust this?", "Cost per message</h2>", "Throughput over connections</h2>",
        "Latency by percentile, closed loop</h2>", "Memory over connections</h2>",
        "Every block over time</h2>", "Environment and commands</h2>"}) {
    const auto at = html.find(title);
    BOOST_TEST(at != std::string::npos, title);
    BOOST_TEST(at > last, title);
    last = at;
  }
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
  BOOST_TEST(contains(forms[2], "</script>\\|a,b"));
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

BOOST_AUTO_TEST_CASE(a_json_report_read_back_says_the_same) {
  const scratch_folder folder;
  bench::write_reports(synthetic_run(), folder.path());
  const auto back = bench::read_json_report(folder / "report.json");
  BOOST_TEST((bench::json_report(back.header, back.found) == folder.read("report.json")));
}

BOOST_AUTO_TEST_CASE(the_json_report_meets_its_schema_member_by_member) {
  const auto schema = parsed_file(REPORT_SCHEMA);
  schema_check check{schema};
  auto lacking = synthetic_run({.rounds = 3, .control = false, .utilisation = 0.97});
  lacking.header.machine.server_cpu.reset();
  lacking.blocks.front().slices.front().messages = 0;
  lacking.memory.resize(1);
  lacking.end.reset();
  for (const auto& record :
       {synthetic_run(), lacking, synthetic_run({.rounds = 0}), synthetic_run({.answered = 0.9}),
        synthetic_run({.latencies = false}), every_caveat(), with_target(synthetic_run())}) {
    const auto report = boost::json::parse(bench::json_report(record.header, analyse(record)));
    for (const auto& complaint : check.complaints(report)) BOOST_ERROR(complaint);
  }
}

BOOST_AUTO_TEST_CASE(the_schema_notices_what_is_missing_mistaken_or_undescribed) {
  const auto schema = parsed_file(REPORT_SCHEMA);
  schema_check check{schema};
  const auto record = synthetic_run({.rounds = 6});
  const auto report = boost::json::parse(bench::json_report(record.header, analyse(record)));
  auto broken = report;
  broken.at("results").at("costs").at(0).as_object().erase("ratio");
  BOOST_TEST(check.complaints(broken) ==
                 std::vector<std::string>{"report.results.costs[0].ratio is missing"},
             boost::test_tools::per_element());
  broken = report;
  broken.at("results").at("costs").at(0).at("verdict").at("what") = "winner";
  broken.at("results").at("margin") = "1 %";
  broken.as_object()["surprise"] = 1;
  BOOST_TEST(check.complaints(broken).size() == 3U);
}

BOOST_AUTO_TEST_CASE(points_for_the_github_action_are_ratios_and_costs_above_the_floor) {
  const auto points_of = [](const bench::run_record& record) {
    return boost::json::parse(bench::github_action_report(analyse(record))).as_array();
  };
  const auto points = points_of(synthetic_run());
  BOOST_TEST(points.size() == 6U * 3);
  std::vector<std::string> names;
  for (const auto& each : points) {
    const auto& point = each.as_object();
    BOOST_TEST(point.size() == 5U);
    names.emplace_back(point.at("name").as_string());
    BOOST_TEST(std::isfinite(point.at("value").to_number<double>()));
    BOOST_TEST((point.at("unit") == "ratio" || point.at("unit") == "ns a message"));
    BOOST_TEST(point.at("range").as_string().starts_with('['));
    BOOST_TEST(contains(std::string{point.at("extra").as_string()}, "10 duet blocks"));
  }
  BOOST_TEST(names[3] == "c64/512: CPU a message, fibers/epoll / asio-callback/epoll");
  BOOST_TEST(names[4] == "c64/512: fibers/epoll above floor/epoll, beside asio-callback/epoll");
  BOOST_TEST(std::abs(points[3].at("value").to_number<double>() - 0.91) < 0.02);
  BOOST_TEST(std::abs(points[5].at("value").to_number<double>() - 480) < 60);
  std::sort(names.begin(), names.end());
  BOOST_TEST((std::adjacent_find(names.begin(), names.end()) == names.end()));
  BOOST_TEST(!points_of(synthetic_run({.rounds = 5})).front().as_object().contains("range"));
  BOOST_TEST(points_of(synthetic_run({.rounds = 0})).empty());
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_named_and_the_old_report_stays) {
  const scratch_folder folder;
  folder.write("report.json", "old");
  std::filesystem::create_symlink("/dev/full", folder / "report.json.unfinished");
  try {
    bench::write_reports(synthetic_run({.rounds = 1}), folder.path());
    BOOST_ERROR("a full disk went unnoticed");
  } catch (const std::runtime_error& error) {
    BOOST_TEST(contains(error.what(), "report.json.unfinished: No space left on device"),
               error.what());
  }
  BOOST_TEST(folder.read("report.json") == "old");
  BOOST_TEST(!std::filesystem::exists(folder / "report.json.unfinished"));
}

BOOST_AUTO_TEST_CASE(the_forest_of_a_run_that_goes_on_is_whole_plots_that_fit) {
  const auto found = bench::analyse(synthetic_run({.rounds = 3}));
  const auto lines_of = [&](int most) {
    const auto text = bench::forest_text(found, {}, most);
    return std::count(text.begin(), text.end(), '\n');
  };
  // Two comparisons, each a title, an axis and three scenarios.
  BOOST_TEST(lines_of(40) == 10);
  BOOST_TEST(lines_of(10) == 10);
  BOOST_TEST(lines_of(9) == 5);
  BOOST_TEST(lines_of(4) == 0);
  BOOST_TEST(bench::forest_text({}, {}, 40).empty());
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_not_there_is_named) {
  const scratch_folder folder;
  try {
    bench::write_reports(synthetic_run({.rounds = 1}), folder / "none");
    BOOST_ERROR("a missing folder went unnoticed");
  } catch (const std::runtime_error& error) {
    BOOST_TEST(contains(error.what(), "none/report.json.unfinished: No such file or directory"),
               error.what());
  }
}
