// The live test bed measures the CPU time that other programs take, without that of the servers. It
// leaves out the CPU time of a server whose processes come and go.
#include <bench/machine/machine.hpp>
#include <bench/measure/live_test_bed.hpp>
#include <bench/server/catalogue.hpp>

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>

#include <tests/texts.hpp>

using namespace std::chrono_literals;

namespace {

// A process that computes on one processor without a pause.
class burner {
 public:
  explicit burner(int cpu) : pid_{fork()} {
    if (pid_ != 0) return;
    alarm(20);  // ends it if its parent is killed
    bench::pin_this_thread(cpu);
    for (volatile unsigned work = 0;;) work = work + 1;
  }
  ~burner() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  burner(const burner&) = delete;
  burner& operator=(const burner&) = delete;

  double cpu_seconds() const {
    clockid_t clock{};
    timespec used{};
    BOOST_REQUIRE(clock_getcpuclockid(pid_, &clock) == 0);
    clock_gettime(clock, &used);
    return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
  }

 private:
  pid_t pid_;
};

struct measured {
  double own_share = 0;     // CPU time of the server, per second
  double burner_share = 0;  // CPU time of the burner, per second
  bench::disturbance others;
};

// Loads one server for a second. `beside` may be null.
measured load(int server_cpu, const burner* beside) {
  const std::atomic<bool> stop = false;
  bench::live_test_bed bed{
      {{"floor/epoll", "floor_echo --quiet --io epoll --port 0", {}}}, server_cpu, 1, stop};
  bed.launch({"floor/epoll"}, bench::scenario::parse("c16/64"));
  bed.load({0}, 50ms);
  const double before = beside ? beside->cpu_seconds() : 0;
  const auto slice = bed.load({0}, 1s).front();
  const double burnt = beside ? beside->cpu_seconds() - before : 0;
  return {*slice.cpu_ns / 1e9 / slice.seconds, burnt / slice.seconds, bed.finish()};
}

// Chosen before this thread is pinned to one processor.
const auto pins = bench::choose_pins(bench::allowed_cpus());

boost::test_tools::assertion_result has_two_processors(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result yes{pins.has_value()};
  yes.message() << "one processor, which the client uses as well";
  return yes;
}

// /proc/stat counts in hundredths of a second and includes the warm-up.
constexpr double tolerance = 0.12;

}  // namespace

BOOST_AUTO_TEST_CASE(a_program_that_burns_the_servers_processor_is_foreign,
                     *boost::unit_test::precondition(has_two_processors) *
                         boost::unit_test::timeout(60)) {
  bench::pin_this_thread(pins->client_cpu);
  const burner beside{pins->server_cpu};
  const auto found = load(pins->server_cpu, &beside);
  BOOST_TEST(found.burner_share > 0.05);
  BOOST_TEST(found.others.foreign_cpu_share > found.burner_share - tolerance);
  BOOST_TEST(found.others.foreign_cpu_share + found.own_share < 1 + tolerance);
}

BOOST_AUTO_TEST_CASE(what_the_server_uses_is_not_foreign,
                     *boost::unit_test::precondition(has_two_processors) *
                         boost::unit_test::timeout(60)) {
  bench::pin_this_thread(pins->client_cpu);
  const auto found = load(pins->server_cpu, nullptr);
  BOOST_TEST(found.own_share > 0.01);
  BOOST_TEST(found.others.foreign_cpu_share + found.own_share < 1 + tolerance);
}

BOOST_AUTO_TEST_CASE(a_program_that_burns_the_clients_processor_is_told_apart,
                     *boost::unit_test::precondition(has_two_processors) *
                         boost::unit_test::timeout(60)) {
  bench::pin_this_thread(pins->client_cpu);
  const burner beside{pins->client_cpu};
  const auto found = load(pins->server_cpu, &beside);
  BOOST_TEST(found.burner_share > 0.05);
  BOOST_TEST(found.others.client_foreign_share.value() > found.burner_share - tolerance);
}

BOOST_AUTO_TEST_CASE(the_cpu_of_processes_that_stay_is_known_and_of_those_that_come_and_go_is_not,
                     *boost::unit_test::timeout(60)) {
  const std::atomic<bool> stop = false;
  bench::live_test_bed bed{
      {{"forks", "odd_server forks {port}", {}}, {"helped", "odd_server helped", {}}},
      std::nullopt,
      1,
      stop};
  // The CPU time of the slices in which it is known.
  const auto load = [&](const std::string& server, const std::string& scenario,
                        std::chrono::milliseconds length, int slices) {
    std::vector<double> known;
    bed.launch({server}, bench::scenario::parse(scenario));
    bed.load({0}, 50ms);
    for (int i = 0; i < slices && known.empty(); ++i) {
      const auto slice = bed.load({0}, length).front();
      BOOST_TEST(slice.messages > 0);
      if (slice.cpu_ns) known.push_back(*slice.cpu_ns);
    }
    bed.finish();
    return known;
  };
  // Any process that begins on the machine may be one of "forks", so a slice may be unknown.
  const auto known = load("forks", "c4/64", 50ms, 200);
  BOOST_REQUIRE(!known.empty());
  BOOST_TEST(known.front() > 1e6);
  // In a second, some processes end even on a busy machine.
  BOOST_TEST(load("forks", "c4/64/churn", 1s, 1).empty());
  BOOST_TEST(load("helped", "c4/64", 1s, 1).empty());
  BOOST_TEST((bed.uncounted() == std::set<std::string>{"forks", "helped"}));
}

// A message costs a recv and a send, and a share of a wait.
BOOST_AUTO_TEST_CASE(no_message_is_answered_with_fewer_than_two_system_calls) {
  const std::atomic<bool> stop = false;
  bench::live_test_bed bed{
      {{"floor/select", "floor_echo --quiet --io select --port 0", {}}}, std::nullopt, 1, stop};
  const auto shape = bench::scenario::parse("c256/64");
  const auto counted = bed.count_calls("floor/select", shape, 30ms, 60ms);
  if (!counted.system_calls) {
    BOOST_TEST_MESSAGE("skipped: system calls cannot be counted here");
    return;
  }
  BOOST_TEST(counted.messages > 256);
  BOOST_TEST(*counted.system_calls >= 2 * counted.messages);
}

// Such a server is not there any more, and its process still is.
BOOST_AUTO_TEST_CASE(who_dies_before_its_memory_is_measured_is_quoted) {
  const std::atomic<bool> stop = false;
  const std::string leaves =
      "sh -c 'echo listening host=127.0.0.1 port=1 server=brief; sleep 0.2; echo gone >&2; exit 7'";
  bench::live_test_bed bed{{{"brief", leaves, {}}}, std::nullopt, 1, stop};
  std::vector<bench::caveat> none;
  BOOST_CHECK_EXCEPTION(bed.measure_memory("brief", {16}, none), bench::server_failed,
                        saying("brief exited with status 7: gone"));
}

BOOST_AUTO_TEST_CASE(who_dies_while_its_memory_is_measured_is_quoted,
                     *boost::unit_test::timeout(60)) {
  bench::raise_descriptor_limit();
  const std::atomic<bool> stop = false;
  bench::live_test_bed bed{{{"odd", "odd_server dies", {}}}, std::nullopt, 1, stop};
  std::vector<bench::caveat> caveats_found;
  // The server answers 1,000 messages, so it dies in the last step. Each step opens fewer
  // connections than its backlog of 1,024 holds.
  BOOST_TEST(bed.measure_memory("odd", {16, 600, 1100}, caveats_found).size() == 2U);
  BOOST_REQUIRE(caveats_found.size() == 1);
  BOOST_TEST(bench::text_of(caveats_found[0]) ==
             "the memory of odd with 1100 connections is missing: odd exited with status 7: out of "
             "patience");
}

BOOST_AUTO_TEST_CASE(a_stream_is_echoed_or_acknowledged_as_its_load_says) {
  const std::atomic<bool> stop = false;
  bench::live_test_bed bed{
      {bench::find_server("floor/epoll"), bench::find_server("fibers/epoll")}, {}, 1, stop};
  for (const auto* load : {"c2/64K/stream", "c2/64K/oneway"}) {
    bed.launch({"floor/epoll", "fibers/epoll"}, bench::scenario::parse(load));
    for (const auto& each : bed.load({0, 1}, 20ms)) BOOST_TEST(each.messages > 0, load);
    bed.finish();
  }
}
