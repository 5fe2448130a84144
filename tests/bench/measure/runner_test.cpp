#include <fmt/format.h>

#include <algorithm>
#include <bench/measure/runner.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>
#include <set>

using namespace std::chrono_literals;
using bench::block;
using bench::block_kind;
using bench::planned_block;
using bench::run_end;

namespace {

// Notes the calls instead of measuring. Its clock advances by the time that they would take.
class fake_test_bed : public bench::test_bed {
 public:
  std::vector<std::string> notes;
  duration time{};
  int loads_until_failure = -1;
  bool failure_is_interruption = false;
  duration launch_cost = 10ms;
  double growth = 1;  // of what a server that is loaded alone answers, from one load to the next
  double fastest = 4;

  duration now() override { return time; }
  bench::introduction introduce(const std::string&) override { return {}; }

  std::vector<bench::memory_sample> measure_memory(const std::string& server,
                                                   const std::vector<int>& connections,
                                                   std::vector<bench::caveat>&) override {
    std::vector<bench::memory_sample> samples;
    for (int count : connections) samples.push_back({server, count, 100.0 + count});
    return samples;
  }

  bench::kernel_sample count_calls(const std::string& server, const bench::scenario& shape,
                                   duration, duration) override {
    return {server, shape, 100, 200, 1};
  }

  void launch(const std::vector<std::string>& servers, const bench::scenario& shape) override {
    std::string names;
    for (const auto& each : servers) names += " " + each;
    notes.push_back(fmt::format("launch {}{}", shape.text(), names));
    running_ = servers.size();
    time += launch_cost;
  }

  std::vector<bench::slice> load(const std::vector<std::size_t>& launches,
                                 duration length) override {
    if (loads_until_failure-- == 0) {
      if (failure_is_interruption) throw bench::interrupted{};
      throw bench::wrong_reply("wrong");
    }
    std::string numbers;
    for (auto each : launches) numbers += fmt::format(" {}", each);
    notes.push_back(fmt::format("load{} for {} ms", numbers, length / 1ms));
    time += length;
    std::vector<bench::slice> slices(launches.size());
    // Each launch answers a different number of messages, so that slices can be told apart.
    for (std::size_t i = 0; i < launches.size(); ++i) {
      slices[i].seconds = 0.01;
      slices[i].messages = 100 + static_cast<std::int64_t>(launches[i]);
    }
    if (launches.size() == 1) {
      const auto grown = static_cast<double>(slices[0].messages) * speed_;
      slices[0].messages = static_cast<std::int64_t>(grown);
      speed_ = std::min(speed_ * growth, fastest);
    }
    return slices;
  }

  std::vector<bench::slice> load_at_rate(const std::vector<std::size_t>& launches,
                                         double per_second, duration length) override {
    notes.push_back(
        fmt::format("load {} at {:.0f}/s for {} ms", launches.front(), per_second, length / 1ms));
    time += length;
    return std::vector<bench::slice>(launches.size());
  }

  bench::disturbance finish() override {
    notes.push_back("finish");
    running_ = 0;
    return {0.25, 0.125};
  }

  void abandon() noexcept override { running_ = 0; }

  std::size_t running() const { return running_; }

 private:
  double speed_ = 1;
  std::size_t running_ = 0;
};

struct listening : bench::run_listener {
  std::vector<block> blocks;
  std::vector<std::string> events;
  void on_memory(const bench::memory_sample& sample) override {
    events.push_back(fmt::format("memory {} {}", sample.server, sample.connections));
  }
  void on_kernel(const bench::kernel_sample& sample) override {
    events.push_back(fmt::format("calls {} {}", sample.server, sample.scenario.text()));
  }
  void on_block(const block& measured) override {
    blocks.push_back(measured);
    events.push_back("block");
  }
  void on_round_ends(int round) override { events.push_back(fmt::format("round {}", round)); }
  void on_budget_spent(int done) override { events.push_back(fmt::format("spent {}", done)); }
  void on_enough(int done) override { events.push_back(fmt::format("enough {}", done)); }
};

planned_block planned(block_kind kind, const std::string& order) {
  planned_block result;
  result.kind = kind;
  result.round = 3;
  result.scenario = bench::scenario::parse("c64/512");
  result.comparison = {"asio-callback/epoll", "fibers/epoll", "floor/epoll"};
  result.order = order;
  return result;
}

using texts = std::vector<std::string>;

void check_equal(const texts& found, const texts& expected) {
  BOOST_CHECK_EQUAL_COLLECTIONS(found.begin(), found.end(), expected.begin(), expected.end());
}

bench::run_plan small_plan(int rounds) {
  return bench::plan_run({.suite = "quick",
                          .servers = {"floor/epoll", "asio-callback/epoll"},
                          .added = {},
                          .filter = {},
                          .rounds = rounds});
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_duet_warms_up_and_then_keeps_two_slices_of_all_at_once) {
  fake_test_bed bed;
  const auto measured = measure_block(planned(block_kind::duet, "FBA"), {}, bed);
  check_equal(bed.notes,
              {"launch c64/512 floor/epoll fibers/epoll asio-callback/epoll",
               "load 0 1 2 for 80 ms", "load 0 1 2 for 200 ms", "load 0 1 2 for 200 ms", "finish"});
  BOOST_REQUIRE(measured.slices.size() == 6);
  BOOST_TEST(measured.slices[0].server == "floor/epoll");
  BOOST_TEST(measured.slices[0].launch == 2);
  BOOST_TEST(measured.slices[0].messages == 100);
  BOOST_TEST(measured.slices[1].server == "fibers/epoll");
  BOOST_TEST(measured.slices[1].launch == 1);
  BOOST_TEST(measured.slices[2].server == "asio-callback/epoll");
  BOOST_TEST(measured.slices[2].launch == 0);
  BOOST_TEST(measured.slices[2].messages == 102);
  BOOST_TEST(measured.slices[5].position == 1);
  BOOST_TEST(measured.round == 3);
  BOOST_TEST(measured.order == "FBA");
  BOOST_TEST(measured.foreign_cpu_share == 0.25);
  BOOST_TEST(measured.steal_share == 0.125);
}

BOOST_AUTO_TEST_CASE(an_exclusive_block_loads_one_at_a_time_and_settles_before_each_slice) {
  fake_test_bed bed;
  const auto measured = measure_block(planned(block_kind::exclusive, "ABBA"), {}, bed);
  check_equal(bed.notes,
              {"launch c64/512 asio-callback/epoll fibers/epoll", "load 0 for 30 ms",
               "load 0 for 200 ms", "load 1 for 30 ms", "load 1 for 200 ms", "load 1 for 30 ms",
               "load 1 for 200 ms", "load 0 for 30 ms", "load 0 for 200 ms", "finish"});
  BOOST_REQUIRE(measured.slices.size() == 4);
  const std::vector<int> launches{0, 1, 1, 0};
  for (int i = 0; i < 4; ++i) {
    const auto& timed = measured.slices[static_cast<std::size_t>(i)];
    BOOST_TEST(timed.launch == launches[static_cast<std::size_t>(i)]);
    BOOST_TEST(timed.position == i);
  }
}

BOOST_AUTO_TEST_CASE(an_open_loop_takes_its_share_of_what_the_slower_server_can_do) {
  fake_test_bed bed;
  auto open = planned(block_kind::open_loop, "BAAB");
  open.scenario = bench::scenario::parse("c64/512/r50%");
  const auto measured = measure_block(open, {}, bed);
  // The slower server answers 100 messages in 10 ms, so 50 % of its capacity is 5,000 per second.
  check_equal(
      bed.notes,
      {"launch c64/512/r50% fibers/epoll asio-callback/epoll", "load 0 for 30 ms",
       "load 0 for 100 ms", "load 1 for 30 ms", "load 1 for 100 ms", "load 0 at 5000/s for 30 ms",
       "load 0 at 5000/s for 200 ms", "load 1 at 5000/s for 30 ms", "load 1 at 5000/s for 200 ms",
       "load 1 at 5000/s for 30 ms", "load 1 at 5000/s for 200 ms", "load 0 at 5000/s for 30 ms",
       "load 0 at 5000/s for 200 ms", "finish"});
  BOOST_REQUIRE(measured.slices.size() == 4);
  BOOST_TEST(measured.slices[0].server == "fibers/epoll");
  BOOST_TEST(measured.slices[1].launch == 0);
  BOOST_TEST(measured.slices[3].position == 3);
}

BOOST_AUTO_TEST_CASE(an_open_loop_at_a_tenth_of_the_rate_has_longer_slices) {
  fake_test_bed bed;
  auto open = planned(block_kind::open_loop, "ABBA");
  open.scenario = bench::scenario::parse("c64/512/r10%");
  measure_block(open, {.exclusive_slice = 100ms, .longest_slice = 400ms}, bed);
  BOOST_REQUIRE(bed.notes.size() == 14U);
  BOOST_TEST(bed.notes[5] == "load 0 at 1000/s for 30 ms");
  BOOST_TEST(bed.notes[6] == "load 0 at 1000/s for 400 ms");
}

BOOST_AUTO_TEST_CASE(an_open_loop_at_a_given_rate_asks_for_no_capacity) {
  fake_test_bed bed;
  auto open = planned(block_kind::open_loop, "ABBA");
  open.scenario = bench::scenario::parse("c64/512/r20k");
  measure_block(open, {}, bed);
  BOOST_TEST(bed.notes.size() == 1U + 4 * 2 + 1);
  BOOST_TEST(bed.notes[1] == "load 0 at 20000/s for 30 ms");
}

// How often a server was loaded alone for 50 ms before the first load of another length.
std::ptrdiff_t warming_loads(const texts& notes, const std::string& launch) {
  const auto load = fmt::format("load {} for 50 ms", launch);
  return std::count(notes.begin(), notes.end(), load);
}

BOOST_AUTO_TEST_CASE(a_server_that_compiles_itself_is_loaded_until_it_is_no_faster) {
  fake_test_bed bed;
  bed.growth = 2;  // 1, 2 and 4 times 100 messages, and no more
  auto others = planned(block_kind::duet, "BA");
  others.comparison.contender = "node/epoll";
  measure_block(others, {}, bed);
  BOOST_TEST(warming_loads(bed.notes, "0") == 3 + 4);
  BOOST_TEST(warming_loads(bed.notes, "1") == 0);
  BOOST_TEST(bed.notes[1] == "load 0 for 50 ms");
  BOOST_TEST(bed.notes[3 + 4 + 1] == "load 0 1 for 80 ms");
}

BOOST_AUTO_TEST_CASE(a_server_that_never_stops_growing_is_measured_after_two_seconds) {
  fake_test_bed bed;
  bed.growth = 1.06;
  bed.fastest = 1000;
  auto others = planned(block_kind::exclusive, "ABBA");
  others.comparison = {"mine", "thread/blocking", std::nullopt};
  measure_block(others, {}, bed);
  BOOST_TEST(warming_loads(bed.notes, "0") == 40);
}

BOOST_AUTO_TEST_CASE(capacity_is_that_of_a_server_that_is_warm) {
  fake_test_bed bed;
  bed.growth = 2;
  auto open = planned(block_kind::open_loop, "BAAB");
  open.scenario = bench::scenario::parse("c64/512/r50%");
  open.comparison.contender = "node/epoll";
  measure_block(open, {}, bed);
  const auto at_rate = std::find(bed.notes.begin(), bed.notes.end(), "load 0 at 20000/s for 30 ms");
  BOOST_TEST((at_rate != bed.notes.end()));
}

BOOST_AUTO_TEST_CASE(baab_starts_with_the_contender) {
  fake_test_bed bed;
  const auto measured = measure_block(planned(block_kind::exclusive, "BAAB"), {}, bed);
  BOOST_TEST(bed.notes.front() == "launch c64/512 fibers/epoll asio-callback/epoll");
  BOOST_TEST(measured.slices.front().server == "fibers/epoll");
  BOOST_TEST(measured.slices.front().launch == 1);
}

BOOST_AUTO_TEST_CASE(the_two_sides_of_a_control_are_told_apart) {
  fake_test_bed bed;
  auto control = planned(block_kind::duet, "AB");
  control.comparison = {"same", "same", std::nullopt};
  control.control = true;
  const auto measured = measure_block(control, {}, bed);
  BOOST_TEST(measured.control);
  BOOST_TEST(measured.slices[0].launch == 0);
  BOOST_TEST(measured.slices[1].launch == 1);
}

BOOST_AUTO_TEST_CASE(
    memory_and_system_calls_come_first_and_every_block_is_told_before_its_round_ends) {
  fake_test_bed bed;
  listening listener;
  const auto plan = small_plan(2);
  BOOST_CHECK(run_rounds(plan, bed, listener) == run_end::complete);
  const auto blocks_a_round = blocks_of_round(plan, 0).size();
  BOOST_TEST(listener.blocks.size() == 2 * blocks_a_round);
  texts expected;
  for (const auto& server : plan.servers) {
    for (int count : plan.memory_connections) {
      expected.push_back(fmt::format("memory {} {}", server.name, count));
    }
  }
  for (const auto& each : counts_of(plan)) {
    expected.push_back(fmt::format("calls {} {}", each.server, each.scenario.text()));
  }
  for (int round = 0; round < 2; ++round) {
    expected.insert(expected.end(), blocks_a_round, "block");
    expected.push_back(fmt::format("round {}", round));
  }
  check_equal(listener.events, expected);
}

BOOST_AUTO_TEST_CASE(an_interruption_keeps_the_blocks_before_it_and_stops_the_servers) {
  fake_test_bed bed;
  bed.loads_until_failure = 5;
  bed.failure_is_interruption = true;
  listening listener;
  BOOST_CHECK(run_rounds(small_plan(7), bed, listener) == run_end::interrupted);
  BOOST_TEST(!listener.blocks.empty());
  BOOST_TEST(listener.blocks.size() <= 2);
  BOOST_TEST(bed.running() == 0U);
}

// A key that tells the blocks of a run apart.
std::string name_of(const block& each) {
  return fmt::format("{} {} {} {} {} {}", each.round, each.scenario.text(), each.comparison.base,
                     each.comparison.contender, static_cast<int>(each.kind), each.control);
}

std::multiset<std::string> names_of(const std::vector<block>& blocks) {
  std::multiset<std::string> names;
  for (const auto& each : blocks) names.insert(name_of(each));
  return names;
}

BOOST_AUTO_TEST_CASE(a_run_cut_off_at_any_block_ends_with_each_block_once_and_in_order) {
  const auto plan = small_plan(3);
  fake_test_bed bed;
  listening whole;
  run_rounds(plan, bed, whole);
  for (std::size_t cut = 0; cut <= whole.blocks.size(); ++cut) {
    bench::run_record begun;
    for (const auto& server : plan.servers) begun.memory.push_back({server.name, 16, 100});
    begun.blocks.assign(whole.blocks.begin(), whole.blocks.begin() + static_cast<int>(cut));
    listening rest;
    BOOST_CHECK(run_rounds(plan, bed, rest, begun) == run_end::complete);
    BOOST_TEST(std::count(rest.events.begin(), rest.events.end(), "block") ==
               static_cast<int>(whole.blocks.size() - cut));
    auto all = begun.blocks;
    all.insert(all.end(), rest.blocks.begin(), rest.blocks.end());
    BOOST_CHECK(names_of(all) == names_of(whole.blocks));
    for (std::size_t i = 0; i < all.size(); ++i)
      BOOST_TEST(name_of(all[i]) == name_of(whole.blocks[i]));
  }
}

BOOST_AUTO_TEST_CASE(a_resumed_run_measures_the_memory_that_is_missing_and_no_other) {
  const auto plan = small_plan(1);
  bench::run_record begun;
  begun.memory.push_back({plan.servers.front().name, 16, 100});
  fake_test_bed bed;
  listening rest;
  run_rounds(plan, bed, rest, begun);
  for (const auto& event : rest.events)
    BOOST_TEST(event.find("memory " + plan.servers.front().name) == std::string::npos);
  BOOST_TEST(rest.events.front() == fmt::format("memory {} 16", plan.servers[1].name));
}

BOOST_AUTO_TEST_CASE(a_resumed_run_has_spent_what_its_blocks_took) {
  fake_test_bed bed;
  auto plan = small_plan(10);
  listening whole;
  run_rounds(plan, bed, whole);
  bench::run_record begun;
  for (const auto& each : whole.blocks)
    if (each.round < 6) begun.blocks.push_back(each);
  plan.budget = 1s;
  listening rest;
  run_rounds(plan, bed, rest, begun);
  BOOST_TEST(rest.blocks.empty());
  BOOST_TEST(rest.events.back() == "spent 6");
}

BOOST_AUTO_TEST_CASE(a_run_until_sure_ends_after_the_round_that_suffices) {
  fake_test_bed bed;
  auto plan = small_plan(10);
  std::vector<std::size_t> asked_after;
  const auto is_enough = [&](const std::vector<block>& so_far) {
    asked_after.push_back(so_far.size());
    return so_far.back().round == 4;
  };
  listening fixed;
  run_rounds(plan, bed, fixed, {}, is_enough);
  BOOST_TEST(asked_after.empty());

  plan.until_sure = true;
  listening sure;
  BOOST_CHECK(run_rounds(plan, bed, sure, {}, is_enough) == run_end::complete);
  BOOST_TEST(sure.events.back() == "enough 5");
  BOOST_TEST(asked_after.size() == 5U);
  BOOST_TEST(asked_after.back() == sure.blocks.size());

  bench::run_record begun;  // resumed after two rounds
  for (const auto& each : fixed.blocks)
    if (each.round < 2) begun.blocks.push_back(each);
  listening resumed;
  run_rounds(plan, bed, resumed, begun, is_enough);
  BOOST_TEST(resumed.events.back() == "enough 5");
  BOOST_TEST(resumed.blocks.size() + begun.blocks.size() == sure.blocks.size());

  listening never;
  run_rounds(plan, bed, never, {}, [](const auto&) { return false; });
  BOOST_TEST(never.events.back() == "round 9");
}

BOOST_AUTO_TEST_CASE(a_wrong_reply_ends_the_run_and_stops_the_servers) {
  fake_test_bed bed;
  bed.loads_until_failure = 5;
  listening listener;
  BOOST_CHECK_THROW(run_rounds(small_plan(7), bed, listener), bench::wrong_reply);
  BOOST_TEST(bed.running() == 0U);
}

BOOST_AUTO_TEST_CASE(
    a_slow_machine_ends_the_run_when_its_budget_is_spent_and_below_six_rounds_when_twice) {
  fake_test_bed bed;
  bed.launch_cost = 1s;
  listening listener;
  auto plan = small_plan(10);
  plan.budget = 28s;
  BOOST_CHECK(run_rounds(plan, bed, listener) == run_end::complete);
  BOOST_TEST(listener.events.back() == "spent 6");

  bed.launch_cost = 10s;  // six rounds would take minutes
  listening hopeless;
  run_rounds(plan, bed, hopeless);
  BOOST_TEST(hopeless.events.back() == "spent 1");

  listening patient;
  plan.budget.reset();
  run_rounds(plan, bed, patient);
  BOOST_TEST(patient.events.back() == "round 9");
}

BOOST_AUTO_TEST_CASE(a_plan_knows_how_many_of_its_rounds_its_budget_allows) {
  const auto seconds_for = [](int rounds) {
    return std::chrono::ceil<std::chrono::seconds>(expected_duration(small_plan(rounds)));
  };
  auto plan = small_plan(10);
  plan.budget.reset();
  BOOST_TEST(rounds_in_budget(plan) == 10);
  plan.budget = seconds_for(10);
  BOOST_TEST(rounds_in_budget(plan) == 10);
  plan.budget = seconds_for(8);
  BOOST_TEST(rounds_in_budget(plan) == 8);
  plan.budget = seconds_for(4);  // six rounds, the fewest with an interval, may take twice as long
  BOOST_TEST(rounds_in_budget(plan) == 6);
  plan.budget = 0s;
  BOOST_TEST(rounds_in_budget(plan) == 1);
}
