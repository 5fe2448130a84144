// A server that ends at any moment of a run: it is named, and what was measured is kept.
//
//     dying_server_test -- 100          # so many moments instead of a few
//     dying_server_test -- 100 SEED     # the same ones
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include <bench/contract/descriptor.hpp>
#include <bench/record/record.hpp>
#include <bench/server/family.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <random>

#include <tests/bench/command/echobench.hpp>

namespace {

const words comparison{"run",
                       "--suite",
                       "quick",
                       "--rounds",
                       "1",
                       "--servers",
                       "floor/epoll,fibers/epoll",
                       "--filter",
                       "c16/64",
                       "--seed",
                       "1",
                       "--output",
                       "run",
                       "--allow-debug"};

std::string name_of(pid_t process) {
  std::ifstream file{fmt::format("/proc/{}/comm", process)};
  std::string name;
  std::getline(file, name);
  return name;
}

// Our child may have ended; waitpid() still tells how.
bool has_ended(pid_t child) {
  siginfo_t found{};
  return ::waitid(P_PID, static_cast<id_t>(child), &found, WEXITED | WNOHANG | WNOWAIT) != 0 ||
         found.si_pid == child;
}

struct server {
  bench::descriptor process;  // does not become that of another process, as a number may
  std::string name;
};

// A server that echobench runs now, chosen at random. While none runs, waits for one.
std::optional<server> server_of(pid_t echobench, std::mt19937& random) {
  const std::map<std::string, std::string> names{{"floor_echo", "floor/epoll"},
                                                 {"fibers_echo", "fibers/epoll"}};
  while (!has_ended(echobench)) {
    std::ifstream children{fmt::format("/proc/{0}/task/{0}/children", echobench)};
    std::vector<server> found;
    for (pid_t each = 0; children >> each;) {
      bench::descriptor process{static_cast<int>(::syscall(SYS_pidfd_open, each, 0))};
      const auto known = names.find(name_of(each));
      if (process && known != names.end()) found.push_back({std::move(process), known->second});
    }
    if (!found.empty()) return std::move(found[random() % found.size()]);
    std::this_thread::sleep_for(1ms);
  }
  return std::nullopt;
}

struct mortal : echobench {
  mortal() {
    ::setenv("DYING_SERVER", mark.c_str(), 1);  // our own environment in /proc stays as it was
  }

  // Returns how a run ended of which a server got this signal after this time.
  outcome run_and_end_a_server(std::chrono::milliseconds after, int signal, std::mt19937& random) {
    start(comparison);
    std::this_thread::sleep_for(after);
    if (const auto victim = server_of(pid, random)) {
      name = victim->name;
      ::syscall(SYS_pidfd_send_signal, victim->process.get(), signal, nullptr, 0);
    }
    return wait();
  }

  void check_nothing_is_left() const {
    std::vector<pid_t> left;
    for (int i = 0; i < 200; ++i) {
      left = bench::processes_with("DYING_SERVER=" + mark);
      if (left.empty()) return;
      std::this_thread::sleep_for(10ms);
    }
    BOOST_TEST(left.empty());
  }

  std::string journal() const { return folder.read("run/run.ndjson"); }

  const std::string mark = fmt::format("{}", ::getpid());
  std::string name;
};

std::string argument(int number, const std::string& usual) {
  const auto& suite = boost::unit_test::framework::master_test_suite();
  return suite.argc > number ? suite.argv[number] : usual;
}

void check_moment(std::chrono::milliseconds after, int signal, std::mt19937& random) {
  mortal trial;
  const auto ended = trial.run_and_end_a_server(after, signal, random);
  trial.check_nothing_is_left();
  const auto kept = trial.journal();
  BOOST_TEST((ended.exit_code == 0 || ended.exit_code == 3), ended.exit_code);
  if (ended.exit_code == 3) {
    const auto at = ended.err.rfind("echobench: ");
    BOOST_REQUIRE(at != std::string::npos);
    const auto said = ended.err.substr(at);
    BOOST_TEST(lines_in(said) == 1, said);
    BOOST_TEST(holds(said, trial.name), said);
    BOOST_TEST((holds(said, "was killed by signal ") || holds(said, "exited with status 0")), said);
    BOOST_TEST(holds(said, "--resume run goes on") == !kept.empty(), said);
  }
  const auto again = trial.run(kept.empty() ? comparison : words{"run", "--resume", "run"});
  BOOST_TEST(again.exit_code == 0, again.err);
  BOOST_TEST(trial.journal().starts_with(kept));
  const auto record = bench::read_run(trial.folder / "run" / "run.ndjson");
  BOOST_CHECK(record.end == bench::run_end::complete);
  BOOST_TEST(record.blocks.size() == 3U);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_server_that_ends_at_any_moment_is_named_and_what_is_measured_is_kept) {
  const auto count = std::stoi(argument(1, "2"));
  const auto seed =
      static_cast<std::uint32_t>(std::stoul(argument(2, std::to_string(std::random_device{}()))));
  BOOST_TEST_MESSAGE("seed " << seed);
  const auto begin = std::chrono::steady_clock::now();
  BOOST_TEST(mortal{}.run(comparison).exit_code == 0);
  const auto usual = (std::chrono::steady_clock::now() - begin) / 1ms;
  std::mt19937 random{seed};
  for (int i = 0; i < count; ++i) {
    const std::chrono::milliseconds after{random() % static_cast<std::uint32_t>(usual)};
    const int signal = random() % 2 == 0 ? SIGKILL : SIGTERM;
    BOOST_TEST_CONTEXT(fmt::format("signal {} after {} ms", signal, after.count()))
    check_moment(after, signal, random);
  }
  BOOST_TEST_MESSAGE(count << " servers ended");
}
