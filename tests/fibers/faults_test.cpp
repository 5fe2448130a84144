// Every system call of the library fails, one use at a time, with every error that it can have.
//
// Each scenario is run once to count its calls, and then once per use of a call and per error of
// it. It must end, report an error or have the right bytes, and leave no descriptor behind. A case
// that kills the process is named as well, because cases run in a child. CTest runs one case in
// ten. `faults_test -- epoll all` runs all, with a seed instead the tenth of that seed, and with
// the text of a case that one.
#include <tests/fibers/fault_scenarios.hpp>
#include <tests/fibers/faults.hpp>
#include <tests/fibers/scheduler_fixture.hpp>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace {

using call = faults::call;

// --- cases ---------------------------------------------------------------------------------------

struct one_case {
  fault_scenario of;
  faults::fault fault;
};

std::string text(const one_case& each) {
  const auto error =
      each.fault.error == faults::one_byte ? "one byte" : ::strerrorname_np(each.fault.error);
  return fmt::format("{}: use {} of {}: {}", each.of.name, each.fault.use,
                     faults::name(each.fault.of), error);
}

// Each fault of each call that the scenario makes.
void append_cases_of(const fault_scenario& each, std::vector<one_case>& all) {
  outcome result;
  for (int i = 0; i < 2; ++i) faults::watch([&] { each.run(result); });
  BOOST_REQUIRE_MESSAGE(!result.failed, each.name);
  BOOST_REQUIRE_MESSAGE(result.right, each.name);
  for (auto kind = 0; kind < static_cast<int>(call::count); ++kind) {
    const auto of = static_cast<call>(kind);
    for (int use = 1; use <= faults::uses(of); ++use)
      for (const int error : faults::errors(of)) all.push_back({each, {of, use, error}});
  }
}

std::vector<one_case> all_cases() {
  std::vector<one_case> all;
  for (const auto& each : stream_scenarios()) append_cases_of(each, all);
  for (const auto& each : waiting_scenarios()) append_cases_of(each, all);
  return all;
}

// By the program's second argument: all, those whose text has it, or a tenth by that seed.
std::vector<one_case> chosen_cases() {
  auto cases = all_cases();
  const auto& suite = boost::unit_test::framework::master_test_suite();
  const std::string wanted = suite.argc > 2 ? suite.argv[2] : "";
  if (wanted == "all") return cases;
  const bool is_seed = wanted.find_first_not_of("0123456789") == wanted.npos;
  if (!is_seed) {
    std::erase_if(cases,
                  [&](const auto& each) { return text(each).find(wanted) == std::string::npos; });
    return cases;
  }
  const auto seed = wanted.empty() ? std::random_device{}() : std::stoul(wanted);
  BOOST_TEST_MESSAGE("one case in ten of " << cases.size() << ", seed " << seed);
  std::shuffle(cases.begin(), cases.end(), std::mt19937{static_cast<std::uint32_t>(seed)});
  cases.resize(cases.size() / 10);
  return cases;
}

int open_descriptors() {
  int count = 0;
  for (const auto& each : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    static_cast<void>(each);
    ++count;
  }
  return count;
}

// Whether the library has to go on as if nothing had been: a call that was interrupted is called
// again, and bytes that are missing come with the next call. (epoll(7) says that an edge comes
// again only after a short transfer, which the faults do not know.)
bool passes(const faults::fault& each) {
  if (each.error == faults::one_byte) return backend() != fibers::io::epoll;
  return each.error == EINTR && each.of != call::completion;
}

// What is wrong with a case, or an empty text.
std::string fault_in(const one_case& each) {
  const int before = open_descriptors();
  outcome result;
  report(result, [&] { faults::strike(each.fault, [&] { each.of.run(result); }); });
  const int after = open_descriptors();
  constexpr int enough = 20'000;  // a loop that spins makes more calls
  if (faults::all_uses() > enough) return fmt::format("{} calls", faults::all_uses());
  if (!result.right) return "bytes are lost or wrong, and no error says so";
  if (after != before) return fmt::format("{} descriptors before, {} after", before, after);
  if (result.failed && passes(each.fault)) return "an error that need not be seen is reported";
  return {};
}

// --- cases in a child, which may die -------------------------------------------------------------

constexpr std::size_t lanes = 4;  // children at a time; most of the time they wait

struct progress {
  std::size_t running;
  std::size_t struck;  // cases in which the fault came to pass
  char faults[4096];
};

// In the child: every `lanes`th case from `first` on.
[[noreturn]] void run_cases(const std::vector<one_case>& cases, std::size_t first,
                            progress& shared) {
  shared.running = first;
  for (auto& at = shared.running; at < cases.size(); at += lanes) {
    ::alarm(20);  // ends the child if the case hangs
    const auto wrong = fault_in(cases[at]);
    if (faults::struck()) ++shared.struck;
    if (wrong.empty()) continue;
    const auto line = fmt::format("{}: {}\n", text(cases[at]), wrong);
    if (std::strlen(shared.faults) + line.size() < sizeof shared.faults)
      std::strcat(shared.faults, line.c_str());
  }
  ::_exit(0);
}

class lane {
 public:
  lane(const std::vector<one_case>& cases, std::size_t first, progress& shared)
      : cases_{cases}, shared_{shared} {
    start(first);
  }

  // Waits for the child. If a case has killed it, starts another one behind that case.
  void finish() {
    int status = 0;
    while (child_ > 0) {
      checked(::waitpid(child_, &status, 0), "waitpid");
      child_ = 0;
      if (status == 0) return;
      const auto how = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "hangs" : "dies";
      BOOST_TEST_ERROR(text(cases_[shared_.running])
                       << ": " << how << " (status " << status << ")");
      start(shared_.running + lanes);
    }
  }

 private:
  void start(std::size_t first) {
    child_ = ::fork();
    checked(child_, "fork");
    if (child_ == 0) run_cases(cases_, first, shared_);
  }

  const std::vector<one_case>& cases_;
  progress& shared_;
  pid_t child_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_CASE(whichever_call_fails_ends_in_an_error_or_the_right_bytes) {
  const auto cases = chosen_cases();
  auto* shared =
      static_cast<progress*>(::mmap(nullptr, lanes * sizeof(progress), PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  BOOST_REQUIRE((shared != MAP_FAILED));
  std::vector<lane> all;
  for (std::size_t i = 0; i < lanes; ++i) all.emplace_back(cases, i, shared[i]);
  std::size_t struck = 0;
  for (std::size_t i = 0; i < lanes; ++i) {
    all[i].finish();
    struck += shared[i].struck;
    BOOST_TEST(std::string{shared[i].faults} == "");
  }
  // How often a loop waits differs from run to run, so the last uses of a call may not come.
  BOOST_TEST(struck > cases.size() / 2);
  BOOST_TEST_MESSAGE(cases.size() << " faults injected");
}
