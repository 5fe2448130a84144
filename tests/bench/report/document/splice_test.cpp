// report --splice fills the marked places of a document from a run and changes nothing else.
#include <bench/analysis/analysis.hpp>
#include <bench/command/commands.hpp>
#include <bench/compare/compare.hpp>
#include <bench/record/run_folder.hpp>
#include <bench/report/document/excerpt.hpp>
#include <bench/report/document/micro.hpp>
#include <bench/report/document/splice.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/file.hpp>

#include <zlib.h>
#include <boost/test/unit_test.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <tests/bench/many_servers.hpp>
#include <tests/bench/part_load_run.hpp>
#include <tests/bench/synthetic_run.hpp>
#include <tests/scratch_folder.hpp>
#include <tests/texts.hpp>

namespace {

namespace fs = std::filesystem;

// The text of the exception. Empty: none was thrown.
template <class Action>
std::string refusal_of(Action action) {
  try {
    action();
    return {};
  } catch (const std::exception& error) {
    return error.what();
  }
}

std::string excerpt_of(const bench::run_record& record, const std::string& wanted) {
  return bench::excerpt(record.header, analyse(record), wanted);
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

void write_compressed(const fs::path& file, const std::string& text) {
  const auto out = gzopen(file.c_str(), "wb");
  BOOST_REQUIRE(gzwrite(out, text.data(), static_cast<unsigned>(text.size())) ==
                static_cast<int>(text.size()));
  BOOST_REQUIRE(gzclose(out) == Z_OK);
}

// A folder with two runs and, in each test case, documents.
struct documents {
  const scratch_folder folder;
  const bench::run_record record = synthetic_run({.rounds = 6});
  const std::string run = (folder / "runs" / "one").string();
  const std::string other_run = (folder / "runs" / "other").string();

  documents() {
    for (const auto& each : {run, other_run}) fs::create_directories(each);
    folder.write("runs/one/run.ndjson", ndjson_of(record));
    folder.write("runs/other/run.ndjson", ndjson_of(synthetic_run({.rounds = 7, .seed = 9})));
  }

  static std::string place(const std::string& of, const std::string& wanted,
                           const std::string& held = "") {
    return "<!-- from " + of + ": " + wanted + " -->\n" + held + "<!-- end -->\n";
  }
  std::string headline() const { return excerpt_of(record, "headline"); }

  int report(const std::vector<std::string>& more) const {
    std::vector<std::string> given{run, "--splice", (folder / "it.md").string()};
    given.insert(given.end(), more.begin(), more.end());
    return bench::report_command(given);
  }
  // The error for a document that must be refused, without the folder's name. Fails if the document
  // changes or the error has more than one line.
  std::string refused(const std::string& document) const {
    folder.write("it.md", document);
    const auto said = refusal_of([&] { report({}); });
    BOOST_TEST(folder.read("it.md") == document);
    BOOST_TEST(lines_in(said) == 0U, said);
    const auto prefix = folder.path().string() + "/";
    BOOST_TEST(said.starts_with(prefix), said);
    return said.substr(std::min(prefix.size(), said.size()));
  }
};

}  // namespace

// --- the document

BOOST_FIXTURE_TEST_CASE(a_marked_place_is_filled_and_the_rest_stays_byte_for_byte, documents) {
  const std::string before = "# Title\r\n\n  text \t\n", after = "\nno newline at the end";
  folder.write("it.md", before + place(run, "headline", "old\nnumbers\n") + "between\n" +
                            place(run, "memory") + after);
  BOOST_TEST(report({}) == 0);
  BOOST_TEST(folder.read("it.md") == before + place(run, "headline", headline()) + "between\n" +
                                         place(run, "memory", excerpt_of(record, "memory")) +
                                         after);
}

BOOST_FIXTURE_TEST_CASE(a_document_that_was_filled_does_not_change_again, documents) {
  folder.write("it.md", place(run, "summary"));
  report({});
  const auto filled = folder.read("it.md");
  const auto written = fs::last_write_time(folder / "it.md");
  BOOST_TEST(report({}) == 0);
  BOOST_TEST(folder.read("it.md") == filled);
  BOOST_TEST((fs::last_write_time(folder / "it.md") == written));
}

BOOST_FIXTURE_TEST_CASE(a_place_of_another_run_stays_as_it_is, documents) {
  const auto other = place(other_run, "headline", "of the other run\n");
  folder.write("it.md", other + place(run, "headline"));
  BOOST_TEST(report({}) == 0);
  BOOST_TEST(folder.read("it.md") == other + place(run, "headline", headline()));
}

BOOST_FIXTURE_TEST_CASE(a_run_is_the_same_however_its_path_is_written, documents) {
  for (const auto& name : {run + "/", run + "/../one", run + "/run.ndjson"}) {
    folder.write("it.md", place(name, "headline"));
    BOOST_TEST(report({}) == 0);
    BOOST_TEST(folder.read("it.md") == place(name, "headline", headline()));
  }
}

BOOST_FIXTURE_TEST_CASE(a_marker_in_a_block_of_code_is_shown_and_not_filled, documents) {
  const auto shown = "```\n" + place(run, "nothing") + "```\n    " + place("x", "y").substr(0, 15);
  folder.write("it.md", shown + "\n" + place(run, "headline"));
  BOOST_TEST(report({}) == 0);
  BOOST_TEST(folder.read("it.md") == shown + "\n" + place(run, "headline", headline()));
}

BOOST_FIXTURE_TEST_CASE(several_documents_are_filled_by_one_call, documents) {
  folder.write("it.md", place(run, "headline"));
  const auto second = folder.write("second.md", place(run, "headline")).string();
  BOOST_TEST(report({second}) == 0);
  BOOST_TEST(folder.read("it.md") == folder.read("second.md"));
  BOOST_TEST(contains(folder.read("it.md"), headline()));
}

BOOST_FIXTURE_TEST_CASE(filling_a_document_writes_no_report_and_keeps_its_permissions, documents) {
  const auto file = folder.write("it.md", place(run, "headline"));
  const auto own = fs::perms::owner_read | fs::perms::owner_write;
  fs::permissions(file, own);
  fs::create_symlink("it.md", folder / "link.md");
  BOOST_TEST(bench::report_command({run, "--splice", (folder / "link.md").string()}) == 0);
  BOOST_TEST((fs::status(file).permissions() == own));
  BOOST_TEST(fs::is_symlink(folder / "link.md"));
  BOOST_TEST(contains(folder.read("it.md"), headline()));
  BOOST_TEST(!fs::exists(fs::path{run} / "report.md"));
}

// --- refusals

BOOST_FIXTURE_TEST_CASE(an_unknown_table_is_refused_by_line_and_marker_with_what_is_accepted,
                        documents) {
  const auto said = refused("one\ntwo\n" + place(run, "headline") + place(run, "tabel"));
  BOOST_TEST(said == "it.md:5: <!-- from " + run + ": tabel -->: 'tabel' is not " +
                         bench::accepted_excerpts());
  BOOST_TEST(contains(said, "headline, machine, summary, verdict, overhead, cost, throughput"));
}

BOOST_FIXTURE_TEST_CASE(a_marker_without_an_end_is_refused, documents) {
  const auto marker = "<!-- from " + run + ": headline -->";
  const auto expected = marker + ": has no <!-- end -->";
  BOOST_TEST(refused("text\n" + marker + "\nmore\n") == "it.md:2: " + expected);
  BOOST_TEST(refused(marker) == "it.md:1: " + expected);
  BOOST_TEST(refused(marker + "\n" + place(run, "headline")) == "it.md:1: " + expected);
  // This also holds for a marker of another run, because filling would lose the text after it.
  const auto other = "<!-- from " + other_run + ": headline -->";
  BOOST_TEST(refused(other + "\n" + place(run, "headline")) ==
             "it.md:1: " + other + ": has no <!-- end -->");
}

BOOST_FIXTURE_TEST_CASE(what_only_looks_like_a_marker_is_refused, documents) {
  const std::string why = ": is no marker, which is <!-- from RUN: WHAT -->";
  for (const auto* marker : {"<!-- from runs/one summary -->", "<!-- from runs/one: summary",
                             "<!-- from : summary -->", "<!-- from -->"})
    BOOST_TEST(refused(std::string{marker} + "\n<!-- end -->\n") ==
               "it.md:1: " + std::string{marker} + why);
  BOOST_TEST(refused("<!-- end -->\n") == "it.md:1: <!-- end -->: ends no marker");
}

BOOST_FIXTURE_TEST_CASE(a_bad_marker_in_one_document_leaves_all_as_they_were, documents) {
  folder.write("it.md", place(run, "headline"));
  const auto bad = folder.write("bad.md", place(run, "tabel")).string();
  BOOST_CHECK_THROW(report({bad}), std::invalid_argument);
  BOOST_TEST(folder.read("it.md") == place(run, "headline"));
}

BOOST_FIXTURE_TEST_CASE(a_void_run_fills_nothing, documents) {
  auto wrong = record;
  wrong.caveats_found.push_back(bench::caveats::run_void{"mine: wrong reply"});
  folder.write("runs/one/run.ndjson", ndjson_of(wrong));
  folder.write("it.md", place(run, "headline"));
  BOOST_CHECK_THROW(report({}), bench::run_invalid);
  BOOST_TEST(folder.read("it.md") == place(run, "headline"));
}

BOOST_FIXTURE_TEST_CASE(what_makes_no_sense_on_the_command_line_is_a_usage_error, documents) {
  BOOST_CHECK_THROW(report({}), bench::usage_error);  // there is no it.md
  BOOST_CHECK_THROW(bench::report_command({run, "--check"}), bench::usage_error);
  BOOST_CHECK_THROW(bench::report_command({run, run}), bench::usage_error);
}

// --- the check

BOOST_FIXTURE_TEST_CASE(a_check_writes_nothing_and_fails_where_a_place_holds_something_else,
                        documents) {
  const auto stale = place(run, "headline", "stale\n");
  folder.write("it.md", stale);
  BOOST_TEST(report({"--check"}) == 1);
  BOOST_TEST(folder.read("it.md") == stale);
  report({});
  BOOST_TEST(report({"--check"}) == 0);
  folder.write("it.md", folder.read("it.md") + place(other_run, "headline", "stale\n"));
  BOOST_TEST(report({"--check"}) == 0);  // --check ignores other runs
}

BOOST_FIXTURE_TEST_CASE(a_check_fails_where_a_marker_names_a_run_that_does_not_exist, documents) {
  folder.write("it.md", place(run + "s", "headline"));
  BOOST_TEST(report({"--check"}) == 1);
  BOOST_TEST(report({}) == 0);
}

// --- excerpts

BOOST_AUTO_TEST_CASE(every_name_has_its_text_and_ends_in_a_newline) {
  const auto record = synthetic_run({.rounds = 6});
  for (const auto* name :
       {"headline", "machine", "summary", "verdict", "overhead", "cost", "throughput", "latency",
        "open_loop", "memory", "kernel", "block", "control", "server"}) {
    const auto text = excerpt_of(record, name);
    BOOST_TEST(text.ends_with('\n'), name);
    BOOST_TEST(!text.ends_with("\n\n"), name);
  }
}

BOOST_AUTO_TEST_CASE(curves_and_the_table_of_all_servers_are_there_where_the_run_has_them) {
  BOOST_TEST(excerpt_of(part_load_run(), "part_load").starts_with("**"));
  const auto servers = many_servers({"fibers/epoll", "go/epoll"});
  BOOST_TEST(excerpt_of(servers, "matrix").starts_with("**All servers on c64/512.**"));
  for (const auto* name : {"matrix", "part_load"})
    BOOST_CHECK_THROW(excerpt_of(synthetic_run(), name), std::invalid_argument);
  BOOST_CHECK_THROW(excerpt_of(servers, "matrix on c64/512"), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(the_summary_says_loads_in_words_and_takes_nine_lines_at_most) {
  auto record = synthetic_run({.rounds = 6, .select_too = false});
  const auto text = excerpt_of(record, "summary");
  BOOST_TEST(
      text.starts_with("| load | CPU per message, fibers / Asio [95 %] |\n|---|---:|\n"
                       "| 1 connection × 64 B (`c1/64`) | 0."));
  BOOST_TEST(contains(text, "\n| 64 connections × 512 B (`c64/512`) | 0."));
  BOOST_TEST(lines_in(text) == 2U + 3U);
  for (auto& each : record.blocks) {
    for (int size = 1; size <= 6; ++size)
      if (each.scenario.message_bytes == 64 && each.round % 6 == size % 6)
        each.scenario.message_bytes = 1024 * size;
  }
  BOOST_TEST(lines_in(excerpt_of(record, "summary")) == 2U + 9U);
}

BOOST_AUTO_TEST_CASE(the_summary_also_has_loads_of_other_pairs_of_the_same_libraries) {
  auto record = synthetic_run({.rounds = 6, .select_too = false});
  auto others = record.blocks;
  for (auto& each : others) {
    each.comparison.base = "asio-coroutine/epoll";
    for (auto& slice : each.slices)
      if (slice.server == "asio-callback/epoll") slice.server = each.comparison.base;
  }
  std::erase_if(others, [](const auto& each) { return each.control; });
  auto of_http = others;
  for (auto& each : of_http) each.scenario = bench::scenario::parse("c64/json");
  record.blocks.insert(record.blocks.end(), others.begin(), others.end());
  record.blocks.insert(record.blocks.end(), of_http.begin(), of_http.end());
  const auto text = excerpt_of(record, "summary");
  BOOST_TEST(
      contains(text, "\n| 64 connections × HTTP json (`c64/json`, asio-coroutine/epoll) | "));
  BOOST_TEST(lines_in(text) == 2U + 4U);
}

BOOST_AUTO_TEST_CASE(every_part_of_a_load_has_its_words) {
  const auto words = [](const char* text) { return bench::scenario::parse(text).words(); };
  BOOST_TEST(words("c1/64") == "1 connection × 64 B");
  BOOST_TEST(words("c1024/16K") == "1,024 connections × 16 KiB");
  BOOST_TEST(words("c16/64/d16") == "16 connections × 64 B, 16 outstanding");
  BOOST_TEST(words("c64/64+10000idle") == "64 connections × 64 B, 10,000 idle beside");
  BOOST_TEST(words("c64/512/r20k") == "64 connections × 512 B, 20,000 messages/s");
  BOOST_TEST(words("c64/512/r50%") == "64 connections × 512 B, 50 % of the full rate");
  BOOST_TEST(words("c16/64/churn") == "a connection per message × 64 B, 16 at a time");
  BOOST_TEST(words("c1/64K/stream") == "1 connection × 64 KiB, streamed");
  BOOST_TEST(words("c16/16K/oneway") == "16 connections × 16 KiB, one way");
  BOOST_TEST(words("c64/json/d4") == "64 connections × HTTP json, 4 outstanding");
  BOOST_TEST(words("c1/fields") == "1 connection × structures, read field by field");
  BOOST_TEST(words("c64/512/tls") == "64 connections × 512 B under TLS");
  BOOST_TEST(words("c16/64/churn/tls") ==
             "a connection per message × 64 B under TLS, 16 at a time");
}

BOOST_AUTO_TEST_CASE(the_machine_is_one_sentence_with_the_command_that_made_the_run) {
  auto record = synthetic_run({.rounds = 6});
  const auto text = excerpt_of(record, "machine");
  BOOST_TEST(
      text.starts_with("Measured on 2 × Imaginary CPU 3000 under kvm with 6.1.0-imaginary, "
                       "gcc 12.2.0 and Boost 1.81.0; "));
  BOOST_TEST(contains(text, " replies compared byte by byte, none wrong; noise grade "));
  BOOST_TEST(text.ends_with("; by `bench/run --suite default --seed 42`.\n"));
  BOOST_TEST(lines_in(text) == 1U);
  record.header.machine.virtualization = "none";
  BOOST_TEST(excerpt_of(record, "machine").starts_with("Measured on 2 × Imaginary CPU 3000 with "));
}

BOOST_AUTO_TEST_CASE(servers_and_loads_can_be_picked) {
  const auto record = synthetic_run({.rounds = 6});
  const auto all = excerpt_of(record, "cost");
  const auto picked =
      excerpt_of(record, "cost of fibers/select against asio-callback/select on c1/64,c256/64");
  BOOST_TEST(contains(all, "fibers/epoll"));
  BOOST_TEST(contains(all, picked.substr(0, picked.find('\n'))));
  BOOST_TEST(!contains(picked, "fibers/epoll"));
  BOOST_TEST(lines_in(picked) == 4U + 2U * 2U);
  BOOST_TEST(contains(excerpt_of(record, "headline on c1/64"), "On c1/64, "));
  BOOST_TEST(lines_in(excerpt_of(record, "latency on c1/64")) == 4U + 4U);
}

BOOST_AUTO_TEST_CASE(what_the_run_does_not_have_is_refused_in_words) {
  const auto record = synthetic_run({.rounds = 6, .open_loop = false});
  const auto said = [&](const std::string& wanted) {
    return refusal_of([&] { excerpt_of(record, wanted); });
  };
  BOOST_TEST(said("open_loop") == "the run has nothing to show for 'open_loop'");
  BOOST_TEST(said("cost on c9/64") == "the run has no c9/64, it has c1/64, c64/512, c256/64");
  BOOST_TEST(said("cost of a against b").starts_with("the run has no a against b, it has fibers/"));
  for (const auto* none : {"cost of a", "cost of a or b", "cost c1/64", "cost on", "costs", " "})
    BOOST_TEST(said(none).ends_with(" is not " + bench::accepted_excerpts()), none);
}

// --- micro_bench

namespace {

// A result of Google Benchmark: two repetitions of two rows, an aggregate, a row of parked fibers
// and a row of sleeps.
std::string micro_json() {
  const auto row = [](const std::string& name, const std::string& type, const std::string& time) {
    return "{\"name\": \"" + name + "\", \"run_name\": \"" + name + "\", \"run_type\": \"" + type +
           "\", " + time + "}";
  };
  const auto ns = [](const std::string& time) {
    return "\"real_time\": " + time + ", \"cpu_time\": 1, \"time_unit\": \"ns\"";
  };
  const std::string sleep =
      "\"real_time\": 400, \"time_unit\": \"ms\", \"late_us\": 42.4, \"cpu_us\": 27.16";
  return "{\"context\": {}, \"benchmarks\": [" + row("yield/fibers", "iteration", ns("8.5")) + "," +
         row("yield/fibers", "iteration", ns("8.7")) + "," +
         row("yield/fibers", "aggregate", ns("99")) + "," +
         row("yield/boost_fiber", "iteration", ns("50.4")) + "," +
         row("yield/boost_fiber", "iteration", ns("51")) + "," +
         row("parked/fibers/1000/iterations:1/manual_time", "iteration",
             ns("1") + ", \"kib_per_fiber\": 4.258") +
         "," + row("sleep/fibers_epoll/sleepers:1000/ms:1/iterations:1", "iteration", sleep) + "]}";
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_micro_bench_measured_fills_places_too, documents) {
  const auto micro = folder.write("runs/micro.json", micro_json()).string();
  folder.write("it.md", place(micro, "parts") + place(micro, "sleep") + place(micro, "parked"));
  BOOST_TEST(bench::report_command({micro, "--splice", (folder / "it.md").string()}) == 0);
  BOOST_TEST(
      folder.read("it.md") ==
      place(micro, "parts",
            "| part | fibers, ns | peer | peer, ns | ratio |\n|---|---:|---|---:|---:|\n"
            "| switch from fiber to fiber | 8.60 | Boost.Fiber | 50.7 | 0.17 |\n") +
          place(micro, "sleep",
                "| sleepers | each sleeps | fibers, epoll, µs | fibers, io_uring, µs | Asio, "
                "µs |\n|---:|---:|---:|---:|---:|\n"
                "| 1,000 | 1 ms | 42.4 late, 27.2 CPU | n/a | n/a |\n") +
          place(micro, "parked",
                "| parked fibers | KiB per fiber |\n|---:|---:|\n| 1,000 | 4.26 |\n"));
  BOOST_TEST(bench::report_command({micro, "--splice", (folder / "it.md").string(), "--check"}) ==
             0);
}

BOOST_FIXTURE_TEST_CASE(what_micro_bench_did_not_measure_is_refused, documents) {
  const auto results = bench::read_micro(folder.write("micro.json", micro_json()));
  const auto said = [&](const std::string& wanted) {
    return refusal_of([&] { bench::micro_excerpt(results, wanted); });
  };
  BOOST_TEST(said("part") ==
             "'part' is not parts, parked, or sleep [on SLEEPERS/MS,SLEEPERS/MS...]");
  BOOST_TEST(said("sleep on 1/1").starts_with("the run does not have each of these loads"));
  BOOST_TEST(said("sleep on 1000/1") == "");
  const auto foreign = folder.write("foreign.json", "{\"benchmark\": []}");
  BOOST_CHECK_THROW(bench::read_micro(foreign), bench::unreadable_run);
  BOOST_CHECK_THROW(bench::read_micro(folder / "none.json"), bench::unreadable_run);
}

// --- compressed runs

BOOST_FIXTURE_TEST_CASE(a_compressed_run_reads_as_the_plain_one_does, documents) {
  const auto text = ndjson_of(record);
  fs::remove(fs::path{run} / "run.ndjson");
  const auto file = fs::path{run} / "run.ndjson.gz";
  write_compressed(file, text);
  BOOST_TEST((bench::run_file(run) == file));
  BOOST_TEST((ndjson_of(bench::read_run(file)) == text));
  folder.write("it.md", place(run, "headline"));
  BOOST_TEST(report({}) == 0);
  BOOST_TEST(folder.read("it.md") == place(run, "headline", headline()));
  BOOST_TEST(bench::report_command({file.string()}) == 0);
  BOOST_TEST(fs::exists(fs::path{run} / "report.html"));
}

BOOST_FIXTURE_TEST_CASE(a_compressed_run_is_compared_as_the_plain_one_is, documents) {
  const auto plain = bench::compare_runs({other_run, run});
  const auto file = folder / "runs" / "one" / "run.ndjson.gz";
  write_compressed(file, ndjson_of(record));
  fs::remove(fs::path{run} / "run.ndjson");
  for (const auto& name : {fs::path{run}, file}) {
    const auto packed = bench::compare_runs({other_run, name});
    BOOST_REQUIRE(packed.rows.size() == plain.rows.size());
    for (std::size_t i = 0; i < plain.rows.size(); ++i)
      BOOST_TEST(packed.rows[i].judged.change == plain.rows[i].judged.change);
  }
}

BOOST_FIXTURE_TEST_CASE(where_both_are_there_the_plain_run_is_read, documents) {
  write_compressed(fs::path{run} / "run.ndjson.gz", "nothing of worth\n");
  BOOST_TEST((bench::run_file(run) == fs::path{run} / "run.ndjson"));
  BOOST_TEST((bench::run_file(folder / "none") == folder / "none" / "run.ndjson"));
}

BOOST_FIXTURE_TEST_CASE(a_compressed_run_that_is_cut_short_is_refused, documents) {
  const auto file = fs::path{run} / "run.ndjson.gz";
  write_compressed(file, ndjson_of(record));
  fs::resize_file(file, fs::file_size(file) / 2);
  BOOST_TEST(refusal_of([&] { bench::read_run(file); }) == file.string() + ": is cut short");
  BOOST_CHECK_THROW(bench::read_run(file), bench::unreadable_run);
}

BOOST_FIXTURE_TEST_CASE(a_run_does_not_go_where_a_compressed_one_is, documents) {
  const auto taken = folder / "taken";
  fs::create_directory(taken);
  write_compressed(taken / "run.ndjson.gz", ndjson_of(record));
  BOOST_CHECK_THROW(bench::expect_room_for_a_run(taken), bench::usage_error);
}
