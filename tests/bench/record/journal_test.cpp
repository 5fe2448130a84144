// A journal loses no complete line and overwrites no other run.
#include <bench/record/journal.hpp>
#include <bench/text/failure.hpp>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>

#include <tests/bench/synthetic_run.hpp>
#include <tests/scratch_folder.hpp>

namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_new_journal_makes_the_folders_above_it_and_ends_each_line) {
  const scratch_folder folder;
  bench::journal file{folder / "runs/today/run.ndjson"};
  BOOST_TEST(folder.read("runs/today/run.ndjson") == "");
  file.append("one");
  file.append("");
  BOOST_TEST(folder.read("runs/today/run.ndjson") == "one\n\n");
}

BOOST_AUTO_TEST_CASE(a_new_journal_leaves_a_file_that_is_there_as_it_is) {
  const scratch_folder folder;
  const auto file = folder.write("run.ndjson", "one\n");
  BOOST_CHECK_EXCEPTION(bench::journal{file}, bench::run_invalid, [&](const auto& refusal) {
    return refusal.what() == "cannot write " + file.string() + ": File exists";
  });
  BOOST_TEST(folder.read("run.ndjson") == "one\n");
}

BOOST_AUTO_TEST_CASE(a_line_for_which_there_is_no_room_is_an_error_that_names_the_file) {
  auto file = bench::journal::go_on("/dev/full");
  BOOST_CHECK_EXCEPTION(file.append("one"), bench::run_invalid, [](const auto& refusal) {
    return std::string{refusal.what()} == "cannot write /dev/full: No space left on device";
  });
}

BOOST_AUTO_TEST_CASE(a_journal_goes_on_behind_its_last_whole_line) {
  const scratch_folder folder;
  const auto file = folder.write("run.ndjson", "one\ntwo\nhal");
  bench::journal::go_on(file).append("three");
  BOOST_TEST(folder.read("run.ndjson") == "one\ntwo\nthree\n");
}

BOOST_AUTO_TEST_CASE(a_journal_that_ends_whole_loses_nothing) {
  const scratch_folder folder;
  const auto file = folder.write("run.ndjson", "one\ntwo\n");
  bench::journal::go_on(file).append("three");
  BOOST_TEST(folder.read("run.ndjson") == "one\ntwo\nthree\n");
}

BOOST_AUTO_TEST_CASE(a_last_line_that_lacks_only_its_newline_was_measured_and_stays) {
  auto record = synthetic_run({.rounds = 2});
  record.end.reset();
  const auto text = ndjson_of(record);
  const scratch_folder folder;
  const auto file = folder.write("run.ndjson", text.substr(0, text.size() - 1));
  bench::journal::go_on(file).append(bench::to_json_line(bench::run_end::complete));
  BOOST_TEST(folder.read("run.ndjson") ==
             text + bench::to_json_line(bench::run_end::complete) + '\n');
}

BOOST_AUTO_TEST_CASE(a_long_incomplete_line_is_cut_off_at_once) {
  const scratch_folder folder;
  const auto file = folder.write("run.ndjson", "one\n" + std::string(4'000'000, 'x'));
  bench::journal::go_on(file).append("two");
  BOOST_TEST(folder.read("run.ndjson") == "one\ntwo\n");
}

BOOST_AUTO_TEST_CASE(a_compressed_journal_is_not_appended_to) {
  const scratch_folder folder;
  const std::string compressed = "\x1F\x8B\x08 and so on\n";
  const auto file = folder.write("run.ndjson", compressed);
  BOOST_CHECK_EXCEPTION(bench::journal::go_on(file), bench::run_invalid, [&](const auto& refusal) {
    return refusal.what() == "cannot write " + file.string() + ": it is compressed";
  });
  BOOST_TEST(folder.read("run.ndjson") == compressed);
}

BOOST_AUTO_TEST_CASE(a_journal_has_one_writer) {
  const scratch_folder folder;
  const auto file = folder.write("run.ndjson", "one\n");
  const auto going_on = bench::journal::go_on(file);
  BOOST_CHECK_EXCEPTION(bench::journal::go_on(file), bench::run_invalid, [](const auto& refusal) {
    return holds(refusal.what(), "another echobench writes it");
  });
}

BOOST_AUTO_TEST_CASE(a_journal_that_is_not_there_is_not_made) {
  const scratch_folder folder;
  BOOST_CHECK_THROW(bench::journal::go_on(folder / "run.ndjson"), bench::run_invalid);
  BOOST_TEST(!std::filesystem::exists(folder / "run.ndjson"));
}
