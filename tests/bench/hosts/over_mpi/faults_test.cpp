// Whatever happens to a host of a load, and whenever: the load ends soon, says on which host it
// was, and leaves no process anywhere.
#include <signal.h>

#include <array>
#include <bench/load/address.hpp>
#include <bench/record/record.hpp>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <future>

#include <tests/bench/hosts/counting_echo.hpp>
#include <tests/bench/hosts/over_mpi/loading.hpp>

BOOST_TEST_GLOBAL_CONFIGURATION(permitted_loads);

namespace {

using test_clock = std::chrono::steady_clock;

constexpr std::size_t struck = 1;  // the host that the fault is on

// What befalls a host. It waits for the process that it needs.
struct fault {
  const char* name;
  std::function<void(test_network&, const loading_program&)> strike;
};

void send(const loading_program& program, const char* process, int signal) {
  for (int i = 0; i < 5000; ++i) {
    const auto found = program.on(struck, process);
    if (!found.empty()) {
      kill(found.front(), signal);
      return;
    }
    std::this_thread::sleep_for(1ms);
  }
}

const std::array faults{
    fault{"its generator is killed",
          [](test_network&, const loading_program& program) {
            send(program, "echobench_gener", SIGKILL);
          }},
    fault{"its generator is stopped",
          [](test_network&, const loading_program& program) {
            send(program, "echobench_gener", SIGSTOP);
          }},
    fault{"its daemon is killed",
          [](test_network&, const loading_program& program) { send(program, "orted", SIGKILL); }},
    fault{"its line is cut",
          [](test_network& network, const loading_program&) { network.cut(struck); }},
};

// When it befalls the host.
struct phase {
  const char* name;
  const char* load;
  std::function<bool(const loading_program&, const echo_counts&)> has_come;
};

const phase launching{"it launches", "c2000/64",
                      [](const loading_program& program, const echo_counts&) {
                        return !program.on(struck, "orted").empty();
                      }};
const phase connecting{
    "it connects", "c2000/64",
    [](const loading_program&, const echo_counts& counts) { return counts.accepted > 100; }};
const phase loading{"it loads", "c16/64", [](const loading_program&, const echo_counts& counts) {
                      return counts.received_bytes > 1'000'000;
                    }};

struct aftermath {
  outcome ended;
  bool ran = false;    // until the fault
  double seconds = 0;  // from the fault to the end
  std::string host;
  std::string other;
  std::vector<std::string> left;
};

template <class Condition>
void wait_until(Condition condition) {
  for (int i = 0; i < 20'000 && !condition(); ++i) std::this_thread::sleep_for(1ms);
}

aftermath struck_by(const fault& what, loading_program& program, test_network& network) {
  program.look();
  const bool ran = program.runs();
  what.strike(network, program);
  const auto begun = test_clock::now();
  auto ended = program.wait(30s);
  const auto took = std::chrono::duration<double>{test_clock::now() - begun}.count();
  return {std::move(ended),      ran, took, network.name(struck), network.name(0),
          program.left_after(3s)};
}

aftermath after(const fault& what, const phase& when) {
  test_network network{2};
  const counting_echo server{listen_on(network.own_address())};
  loading_program program{network};
  program.start({"load", network.own_address() + ":" + std::to_string(server.port()), "--from",
                 program.from({1, 1}), "--load", when.load, "--duration", "60s"});
  wait_until([&] {
    return when.has_come(program, server.of(network.address(struck))) || !program.runs();
  });
  return struck_by(what, program, network);
}

void expect_a_clean_end(const aftermath& found) {
  BOOST_TEST(found.ran);
  BOOST_TEST(found.ended.exit_code == 6);
  BOOST_TEST(found.seconds < 10);
  BOOST_TEST(holds(found.ended.err, found.host), found.ended.err);
  BOOST_TEST(!holds(found.ended.err, found.other), found.ended.err);
  BOOST_TEST(found.left.empty());
  for (const auto& each : found.left) BOOST_TEST_MESSAGE("left: " << each);
  BOOST_TEST_MESSAGE(found.seconds << " s: " << found.ended.err);
}

// All faults at the same time, each on a network of its own.
template <class Work>
auto all_at_once(Work work) {
  std::vector<std::future<decltype(work(faults[0]))>> running;
  for (const auto& each : faults)
    running.push_back(std::async(std::launch::async, [&] { return work(each); }));
  std::vector<decltype(work(faults[0]))> results;
  for (auto& each : running) results.push_back(each.get());
  return results;
}

void befall(const phase& when) {
  const auto found = all_at_once([&](const fault& each) { return after(each, when); });
  for (std::size_t i = 0; i < faults.size(); ++i) {
    BOOST_TEST_CONTEXT(faults[i].name << " while " << when.name) {
      expect_a_clean_end(found[i]);
      BOOST_TEST(lines_in(found[i].ended.err) == 1, found[i].ended.err);
    }
  }
}

// A run of three rounds, which the fault meets after its first block, and what --resume makes of
// it.
struct run_aftermath {
  aftermath first;
  bench::run_record kept;
  outcome resumed;
  bench::run_record whole;
};

run_aftermath after_a_block(const fault& what) {
  test_network network{2};
  const counting_echo one{listen_on(network.own_address())}, two{listen_on(network.own_address())};
  const auto at = [&](const counting_echo& server) {
    return network.own_address() + ":" + std::to_string(server.port());
  };
  loading_program program{network};
  program.start({"run", "--suite", "quick", "--scenarios", "c16/64", "--rounds", "3", "--target",
                 "one=" + at(one), "--target", "two=" + at(two), "--servers", "one,two", "--filter",
                 "two", "--from", program.from({1, 1}), "--output", "run"});
  program.wait_for_a_block();
  run_aftermath found;
  found.first = struck_by(what, program, network);
  const auto journal = program.folder() / "run" / "run.ndjson";
  if (!fs::exists(journal)) return found;
  found.kept = bench::read_run(journal);
  network.heal(struck);
  const auto way = bench::address::resolve_all(network.own_address(), one.port()).front();
  for (int i = 0; i < 100 && !network.in_host(struck, [&] { return way.accepts(); }); ++i)
    std::this_thread::sleep_for(50ms);
  found.resumed = program.run({"run", "--resume", "run"});
  found.whole = bench::read_run(journal);
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(faults_of_hosts)

BOOST_AUTO_TEST_CASE(a_fault_while_a_load_is_launched_ends_it_and_names_the_host) {
  befall(launching);
}

BOOST_AUTO_TEST_CASE(a_fault_while_a_load_connects_ends_it_and_names_the_host) {
  befall(connecting);
}

BOOST_AUTO_TEST_CASE(a_fault_while_a_load_is_on_ends_it_and_names_the_host) {
  befall(loading);
}

BOOST_AUTO_TEST_CASE(a_run_that_a_fault_has_ended_is_resumed_when_the_host_is_back) {
  const auto found = all_at_once(after_a_block);
  for (std::size_t i = 0; i < faults.size(); ++i) {
    BOOST_TEST_CONTEXT(faults[i].name << " between blocks") {
      expect_a_clean_end(found[i].first);
      BOOST_TEST(!found[i].kept.blocks.empty());
      BOOST_TEST((found[i].kept.end != bench::run_end::complete));
      BOOST_TEST(found[i].resumed.exit_code == 0, found[i].resumed.err);
      BOOST_CHECK(found[i].whole.end == bench::run_end::complete);
      BOOST_TEST(found[i].whole.blocks.size() > found[i].kept.blocks.size());
      BOOST_TEST(found[i].whole.header.hosts.value().size() == 2u);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
