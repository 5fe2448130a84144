// An interrupted run can be resumed, or echobench says why it cannot.
#include <bench/measure/resume.hpp>
#include <bench/record/journal.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>

#include <tests/bench/synthetic_run.hpp>
#include <tests/scratch_folder.hpp>

namespace {

// Why a run with the header `begun` cannot be resumed as one with the header `now`. Empty: it can.
std::string complaint(const bench::run_header& begun, const bench::run_header& now) {
  try {
    bench::expect_same_run(begun, now);
    return {};
  } catch (const bench::run_invalid& refusal) {
    return refusal.what();
  }
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_follows_an_end_takes_it_back) {
  auto record = synthetic_run({.rounds = 2});
  record.end = bench::run_end::interrupted;
  const scratch_folder folder;
  const auto file = folder.write("run.ndjson", ndjson_of(record));
  BOOST_CHECK(bench::read_run(file).end == bench::run_end::interrupted);
  auto going_on = bench::journal::go_on(file);
  going_on.append(bench::to_json_line(bench::caveats::run_resumed{"2026-02-01T00:00:00Z"}));
  BOOST_TEST(!bench::read_run(file).end.has_value());
  going_on.append(bench::to_json_line(bench::run_end::complete));
  BOOST_CHECK(bench::read_run(file).end == bench::run_end::complete);
}

BOOST_AUTO_TEST_CASE(a_run_gives_back_the_arguments_it_was_begun_with) {
  bench::run_header header;
  const bench::arguments given{"--suite", "quick", "--server", "mine=sh -c 'exec my_echo' {port}"};
  bench::arguments words{"echobench", "run"};
  words.insert(words.end(), given.begin(), given.end());
  header.command_line = bench::join_words(words);
  const auto back = bench::arguments_of(header);
  BOOST_CHECK_EQUAL_COLLECTIONS(back.begin(), back.end(), given.begin(), given.end());
  header.command_line = "wrk --connections 10";
  BOOST_CHECK_THROW(bench::arguments_of(header), bench::unreadable_run);
}

BOOST_AUTO_TEST_CASE(a_command_line_with_an_open_quote_makes_a_run_unreadable) {
  bench::run_header header;
  header.command_line = "echobench run --filter 'c1";
  BOOST_CHECK_EXCEPTION(bench::arguments_of(header), bench::unreadable_run, [](const auto& error) {
    return std::string{error.what()} ==
           "cannot resume: no closing ' in: echobench run --filter 'c1";
  });
}

BOOST_AUTO_TEST_CASE(the_same_plan_on_the_same_machine_goes_on) {
  const auto begun = synthetic_run({.rounds = 2}).header;
  auto now = begun;
  now.started_utc = "2026-02-01T00:00:00Z";
  now.command_line = "echobench run --resume there";
  BOOST_TEST(complaint(begun, now).empty());
}

BOOST_AUTO_TEST_CASE(another_machine_build_server_or_suite_is_refused_and_named) {
  const auto begun = synthetic_run({.rounds = 2}).header;
  auto now = begun;
  now.machine.kernel = "7.0.0";
  BOOST_TEST(holds(complaint(begun, now), "kernel: \"6.1.0-imaginary\" -> \"7.0.0\""));
  now = begun;
  now.machine.flags = "-O2";
  BOOST_TEST(holds(complaint(begun, now), "flags: "));
  now = begun;
  now.servers.pop_back();
  BOOST_TEST(holds(complaint(begun, now), begun.servers.back().name));
  now = begun;
  now.servers.front().prefix = "4711";
  BOOST_TEST(holds(complaint(begun, now), begun.servers.front().name + " is another program now"));
  now = begun;
  now.servers.front().command = "something_else";
  BOOST_TEST(holds(complaint(begun, now), begun.servers.front().name + " was started by"));
  now = begun;
  now.scenarios.pop_back();
  BOOST_TEST(holds(complaint(begun, now), "suite 'default'"));
}

BOOST_AUTO_TEST_CASE(a_program_written_since_the_run_began_is_another_program) {
  const scratch_folder folder;
  const auto program = folder.write("my_echo", "#!/bin/sh\n");
  auto begun = synthetic_run({.rounds = 2}).header;
  begun.servers.front().command = program.string() + " --port {port}";
  begun.started_utc = "9999-12-31T23:59:59Z";
  BOOST_TEST(complaint(begun, begun).empty());
  begun.started_utc = "1970-01-01T00:00:00Z";
  BOOST_TEST(
      holds(complaint(begun, begun), begun.servers.front().name + " is another program now"));
}

BOOST_AUTO_TEST_CASE(a_run_that_a_wrong_reply_has_voided_stays_void) {
  auto record = synthetic_run({.rounds = 1});
  record.end.reset();
  record.caveats_found.push_back(bench::caveats::run_void{"mine: wrong reply"});
  const scratch_folder folder;
  folder.write("run.ndjson", ndjson_of(record));
  BOOST_CHECK_EXCEPTION(
      bench::read_resumable(folder.path()), bench::run_invalid,
      [](const auto& refusal) { return holds(refusal.what(), "voids the run: mine"); });
}
