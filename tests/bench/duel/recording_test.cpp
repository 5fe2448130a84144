// A duel is recorded, read and shown again; what others wrote is refused in one line or shown.
#include <bench/duel/recording.hpp>
#include <bench/duel/screen.hpp>

#include <sys/stat.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <ostream>
#include <string>

#include <tests/bench/duel/some_duel.hpp>
#include <tests/scratch_folder.hpp>

namespace data = boost::unit_test::data;

namespace {

bench::duel empty_duel() {
  bench::duel match{{"asio-callback/epoll", "fibers/epoll", "floor/epoll"},
                    bench::scenario::parse("c64/512")};
  match.length = std::chrono::seconds{600};
  return match;
}

// Plays a duel with a key, a change of load and a round that is broken off, and records it.
void record_some_duel(bench::duel& match, const std::filesystem::path& file) {
  bench::duel_recorder recorder{file, match};
  double at = 0;
  const auto happen = [&](bench::duel_event event) {
    event.at_s = at += 0.125;
    recorder.append(event);
    match.happen(event);
  };
  const auto slices = [&](double cost) {
    happen({.slices = {{{timed(bench::base_launch, 5000), 1050},
                        {timed(bench::contender_launch, cost), 1310},
                        {timed(bench::floor_launch, 4500), {}}}}});
  };
  for (int round = 0; round < 8; ++round) {
    happen({.round_begins = true});
    slices(4700 + 10 * (round % 3));
    slices(4700);
    happen({.round_ends = bench::disturbance{.foreign_cpu_share = 0.01}});
  }
  happen({.note = "the load stays"});
  happen({.round_begins = true});
  slices(1);  // is dropped
  happen({.round_begins = true});
  slices(4700);
  happen({.round_ends = bench::disturbance{}});
  happen({.load = bench::scenario::parse("c128/512")});
  happen({.key = "?"});
  slices(4800);
}

// What a replay shows at its end.
bench::duel replayed(const bench::duel_recording& recording) {
  bench::duel shown{recording.servers, recording.load};
  shown.length = std::chrono::duration<double>{recording.length_s};
  for (const auto& each : recording.events) shown.happen(each);
  return shown;
}

const std::string first_line =
    R"({"duel":1,"servers":{"base":"a","contender":"b","floor":null},"load":"c64/512","length_s":9})"
    "\n";

std::string slice_line(const std::string& launch, const std::string& number) {
  return R"({"at_s":1,"slices":[{"timed":{"server":"a","launch":)" + launch +
         R"(,"position":0,"seconds":)" + number + R"(,"messages":4000,"cpu_ns":)" + number +
         R"(,"p50_us":)" + number + R"(,"p90_us":1,"p99_us":1,"max_us":)" + number +
         R"(,"client_utilisation":1},"pss_kib":)" + number + "}]}\n";
}

struct refusal {
  std::string text;
  std::string said;  // after the name of the file
  friend std::ostream& operator<<(std::ostream& out, const refusal& each) {
    return out << each.said;
  }
};

const std::vector<refusal> refusals{
    {"", ":1: is no recording of a duel: the file is empty"},
    {"hello\n", ":1: is no recording of a duel: its first line is no JSON"},
    {"[]\n", "is no recording of a duel: its first line does not say \"duel\""},
    {R"({"record":"header"})", "its first line does not say \"duel\""},
    {R"({"duel":2,"servers":{"base":"a","contender":"b"},"load":"c1/64","length_s":9})",
     ":1: duel is 2, and this program reads 1"},
    {R"({"duel":1,"servers":{"base":"a"},"load":"c1/64","length_s":9})",
     ":1: servers.contender is missing"},
    {R"({"duel":1,"servers":{"base":"a","contender":"b"},"load":"c0/64","length_s":9})",
     ":1: load is no scenario"},
    {R"({"duel":1,"servers":{"base":"a","contender":"b"},"load":"c1/64/churn","length_s":9})",
     ":1: load is \"c1/64/churn\", which no duel has"},
    {R"({"duel":1,"servers":{"base":"a","contender":"b"},"load":"c1/64","length_s":-1})",
     ":1: length_s is -1, and not 0 to 100000"},
    {first_line + "{\n", ":2: not JSON: "},
    {first_line + "7\n", ":2: it is not an object"},
    {first_line + "{\"note\":\"x\"}\n", ":2: at_s is missing"},
    {first_line + "{\"at_s\":2,\"note\":\"x\"}\n{\"at_s\":1,\"note\":\"x\"}\n",
     ":3: at_s is 1, and not 2 to 100000"},
    {first_line + "{\"at_s\":1e9,\"note\":\"x\"}\n", ":2: at_s is 1000000000, and not 0 to 100000"},
    {first_line + "{\"at_s\":1,\"key\":\"q\"}\n", ":2: key is neither \" \" nor \"?\""},
    {first_line + "{\"at_s\":1,\"load\":\"c1\"}\n", ":2: load is no scenario"},
    {first_line + "{\"at_s\":1,\"load\":\"c1/64/r50%\"}\n",
     ":2: load is \"c1/64/r50%\", which no duel has"},
    {first_line + "{\"at_s\":1,\"slices\":3}\n", ":2: slices is not a list"},
    {first_line + slice_line("2", "1"), ":2: slices has launch 2, and not 0 to 1"},
    {first_line + slice_line("-1", "1"), ":2: slices has launch -1, and not 0 to 1"},
    {first_line + slice_line("0", "1e999"), ":2: slices[0].timed.seconds is not a number"}};

}  // namespace

BOOST_AUTO_TEST_CASE(a_replay_ends_with_the_same_screen) {
  const scratch_folder folder;
  auto match = empty_duel();
  record_some_duel(match, folder / "duel.ndjson");
  BOOST_TEST(match.rows().front().rounds.size() == 9U);
  BOOST_TEST(match.rows().front().rounds.back().slices.size() == 3U);
  const auto shown = replayed(bench::read_recording(folder / "duel.ndjson"));
  for (const bench::screen_size size : {bench::screen_size{80, 24}, bench::screen_size{160, 50}})
    BOOST_TEST(text_of(bench::duel_screen(shown, size, true)) ==
               text_of(bench::duel_screen(match, size, true)));
  BOOST_TEST(bench::duel_summary(shown, 80) == bench::duel_summary(match, 80));
}

BOOST_AUTO_TEST_CASE(a_recording_that_was_cut_off_is_read_without_its_last_line) {
  const scratch_folder folder;
  auto match = empty_duel();
  record_some_duel(match, folder / "duel.ndjson");
  const auto whole = folder.read("duel.ndjson");
  const auto events = bench::read_recording(folder / "duel.ndjson").events.size();
  folder.write("cut.ndjson", whole.substr(0, whole.size() - 20));
  BOOST_TEST(bench::read_recording(folder / "cut.ndjson").events.size() == events - 1);
}

BOOST_AUTO_TEST_CASE(a_recording_replaces_no_file) {
  const scratch_folder folder;
  folder.write("duel.ndjson", "mine");
  BOOST_CHECK_THROW((bench::duel_recorder{folder / "duel.ndjson", empty_duel()}), std::exception);
  BOOST_TEST(folder.read("duel.ndjson") == "mine");
}

BOOST_AUTO_TEST_CASE(a_pipe_is_refused_before_it_is_read) {
  const scratch_folder folder;
  const auto pipe = folder / "pipe";
  BOOST_REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  BOOST_CHECK_EXCEPTION(bench::read_recording(pipe), bench::unreadable_run, [&](const auto& error) {
    return error.what() == pipe.string() + ": is no regular file";
  });
}

BOOST_DATA_TEST_CASE(a_line_that_no_recorder_writes_is_named, data::make(refusals), each) {
  const scratch_folder folder;
  folder.write("duel.ndjson", each.text);
  std::string said;
  try {
    bench::read_recording(folder / "duel.ndjson");
  } catch (const bench::unreadable_run& error) {
    said = error.what();
  }
  BOOST_TEST(said.starts_with((folder / "duel.ndjson").string() + ":"), said);
  BOOST_TEST(holds(said, each.said), said);
  BOOST_TEST(!holds(said, "\n"), said);
}

BOOST_DATA_TEST_CASE(numbers_that_no_clock_measured_are_shown_and_break_nothing,
                     data::make({"0", "-1e300", "1e300", "1e-300", "1e10"}), number) {
  std::string text = first_line;
  for (int round = 0; round < 9; ++round) {
    text += slice_line("0", round % 2 == 0 ? number : "1e-3");
    text += slice_line("1", round % 2 == 0 ? "1e-3" : number);
    text += "{\"at_s\":1,\"round_ends\":{\"foreign_cpu_share\":0,\"steal_share\":0}}\n";
  }
  text += "{\"at_s\":1,\"note\":\"a \\u001b[2J b\"}\n";
  const scratch_folder folder;
  folder.write("duel.ndjson", text);
  const auto shown = replayed(bench::read_recording(folder / "duel.ndjson"));
  for (const bench::screen_size size : {bench::screen_size{80, 24}, bench::screen_size{20, 5}}) {
    const auto screen = bench::duel_screen(shown, size, true);
    for (const auto& line : screen) BOOST_TEST(columns_of(text_of(line)) <= size.width);
    BOOST_TEST(!holds(text_of(screen), "\033"));
  }
}
