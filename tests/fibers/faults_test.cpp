// Every system call of the library fails, one use at a time, with every error that it can have.
//
// Each scenario is run once to count its calls, and then once per use of a call and per error of
// it. It must end, report an error or have the right bytes, and leave no descriptor behind. A case
// that kills the process is named as well, because cases run in a child. CTest runs one case in
// ten. `faults_test -- epoll all` runs all, with a seed instead the tenth of that seed, and with
// the text of a case that one.
#include <fibers/fiber_handle.hpp>
#include <fibers/local.hpp>
#include <fibers/nursery.hpp>

#include <tests/fibers/faults.hpp>
#include <tests/fibers/scheduler_fixture.hpp>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <algorithm>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <new>
#include <random>
#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using call = faults::call;

// What a scenario reports. It allocates nothing while faults may strike.
struct outcome {
  bool failed = false;  // some call said that it failed
  bool right = true;    // no byte was lost, doubled or wrong
  void fails_if(const error_code& error) {
    if (error) failed = true;
  }
  void expect(bool is_right) {
    if (!is_right) right = false;
  }
};

constexpr auto long_enough = 300ms;

// --- scenarios -----------------------------------------------------------------------------------

template <class Stream>
void echo(Stream& stream) {
  std::array<char, 400> buffer;
  error_code error;
  stream.expires_after(long_enough);
  while (const auto got = stream.read_some(asio::buffer(buffer), error)) {
    asio::write(stream, asio::buffer(buffer.data(), got), error);
    if (error) break;
  }
}

template <class Stream>
void ask(Stream& stream, outcome& result) {
  std::array<char, 1000> sent, got{};
  std::iota(sent.begin(), sent.end(), '\0');
  stream.expires_after(long_enough);
  for (int i = 0; i < 2 && !result.failed; ++i) {
    error_code error;
    asio::write(stream, asio::buffer(sent), error);
    result.fails_if(error);
    const auto read = asio::read(stream, asio::buffer(got), error);
    result.fails_if(error);
    result.expect(
        std::equal(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(read), sent.begin()));
    result.expect(result.failed || read == sent.size());
  }
}

template <class Body>
void report(outcome& result, Body body) {
  try {
    body();
  } catch (const std::exception&) {
    result.failed = true;
  }
}

template <class Listener>
void serve_one(Listener& listener, outcome& result) {
  report(result, [&] {
    error_code error;
    listener.expires_after(long_enough);
    auto stream = listener.accept(error);
    result.fails_if(error);
    if (!error) echo(stream);
  });
  listener.close();
}

void tcp_echo(outcome& result) {
  fibers::scheduler scheduler{backend()};
  fibers::tcp::listener listener{"127.0.0.1", 0};
  const auto port = listener.local_endpoint().port();
  scheduler.spawn("server", [&] { serve_one(listener, result); });
  scheduler.spawn("client", [&] {
    report(result, [&] {
      error_code error;
      auto stream = fibers::tcp::connect_for("127.0.0.1", port, long_enough, error);
      result.fails_if(error);
      if (error) return;
      stream.set_option(asio::ip::tcp::no_delay{true}, error);
      result.fails_if(error);
      ask(stream, result);
      stream.shutdown(asio::socket_base::shutdown_send, error);
      result.fails_if(error);
    });
  });
  scheduler.run();
}

void unix_echo(outcome& result) {
  static const auto path =
      std::filesystem::temp_directory_path() / fmt::format("faults.{}", ::getpid());
  std::filesystem::remove(path);
  fibers::scheduler scheduler{backend()};
  fibers::local::listener listener{path.string()};
  scheduler.spawn("server", [&] { serve_one(listener, result); });
  scheduler.spawn("client", [&] {
    report(result, [&] {
      auto stream = fibers::local::connect_for(path.string(), long_enough);
      ask(stream, result);
    });
  });
  scheduler.run();
}

// A descriptor that a stream may take.
struct owned {
  int number;
  ~owned() {
    if (number >= 0) ::close(number);
  }
};

fibers::local::stream taken(owned& by) {
  auto stream = fibers::local::stream::from_descriptor(by.number);
  by.number = -1;
  return stream;
}

// More bytes than the kernel takes at once, and a reader that begins late.
void large_write(outcome& result) {
  static const std::string large(1 << 20, 'x');
  static std::string got(large.size(), ' ');
  fibers::scheduler scheduler{backend()};
  std::array<int, 2> ends{};
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  owned mine{ends[0]}, far{ends[1]};
  scheduler.spawn("writer", [&] {
    report(result, [&] {
      error_code error;
      auto stream = taken(mine);
      stream.expires_after(long_enough);
      asio::write(stream, asio::buffer(large), error);
      result.fails_if(error);
    });
  });
  scheduler.spawn("reader", [&] {
    report(result, [&] {
      error_code error;
      auto stream = taken(far);
      this_fiber::sleep_for(1ms);
      stream.expires_after(long_enough);
      const auto size = asio::read(stream, asio::buffer(got), error);
      if (error != asio::error::eof) result.fails_if(error);
      result.expect(result.failed || size == large.size());
    });
  });
  scheduler.run();
}

// Sleeps, a deadline that passes, a cancellation, and descriptors of other kinds.
void waits(outcome& result) {
  fibers::scheduler scheduler{backend()};
  std::array<int, 2> pipe{};
  checked(::pipe2(pipe.data(), O_CLOEXEC), "pipe2");
  const descriptor read_end{pipe[0]}, write_end{pipe[1]};
  auto sleeper = scheduler.spawn("sleeper", [] { this_fiber::sleep_for(10s); });
  scheduler.spawn("waits", [&] {
    report(result, [&] {
      this_fiber::sleep_for(1ms);
      error_code error;
      const bool early = this_fiber::wait_readable_for(read_end.get(), 1ms, error);
      result.fails_if(error);
      result.expect(!early);
      this_fiber::wait_writable(write_end.get(), error);
      result.fails_if(error);
      checked(static_cast<int>(::write(write_end.get(), "x", 1)), "write");
      const bool ready = this_fiber::wait_readable_for(read_end.get(), long_enough, error);
      result.fails_if(error);
      result.expect(result.failed || ready);
    });
    sleeper.cancel();
  });
  scheduler.run();
}

// Stacks of a new size, results, exceptions and children.
void fibers_of_a_crowd(outcome& result) {
  static std::size_t stack_size = 64 * 1024;
  stack_size += 4096;
  fibers::scheduler scheduler{{.backend = backend(), .stack_size = stack_size}};
  scheduler.spawn("parent", [&] {
    report(result, [&] {
      int sum = 0;
      fibers::nursery children;
      for (int i = 0; i < 20; ++i) {
        children.spawn("child", [&] {
          this_fiber::yield();
          ++sum;
        });
      }
      children.join();
      result.expect(sum == 20);
    });
  });
  scheduler.run();
}

// A descriptor comes from elsewhere and goes there again.
void hand_over(outcome& result) {
  fibers::scheduler scheduler{backend()};
  std::array<int, 2> ends{};
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  owned mine{ends[0]};
  const descriptor far{ends[1]};
  scheduler.spawn("hands over", [&] {
    report(result, [&] {
      auto stream = taken(mine);
      stream.expires_after(long_enough);
      asio::write(stream, asio::buffer("hello", 5));
      error_code error;
      const int released = stream.release(error);
      result.fails_if(error);
      if (error) return;
      ::close(released);
      std::array<char, 5> got{};  // recvfrom() has no faults
      const auto size = ::recvfrom(far.get(), got.data(), got.size(), 0, nullptr, nullptr);
      result.expect(std::string_view{got.data(), got.size()} == "hello" && size == 5);
    });
  });
  scheduler.run();
}

struct scenario {
  const char* name;
  void (*run)(outcome&);
};
constexpr std::array scenarios{scenario{"tcp_echo", tcp_echo},
                               scenario{"unix_echo", unix_echo},
                               scenario{"large_write", large_write},
                               scenario{"waits", waits},
                               scenario{"fibers_of_a_crowd", fibers_of_a_crowd},
                               scenario{"hand_over", hand_over}};

// --- cases ---------------------------------------------------------------------------------------

struct one_case {
  scenario of;
  faults::fault fault;
};

std::string text(const one_case& each) {
  const auto error =
      each.fault.error == faults::one_byte ? "one byte" : ::strerrorname_np(each.fault.error);
  return fmt::format("{}: use {} of {}: {}", each.of.name, each.fault.use,
                     faults::name(each.fault.of), error);
}

std::vector<one_case> all_cases() {
  std::vector<one_case> all;
  for (const auto& each : scenarios) {
    outcome result;
    for (int i = 0; i < 2; ++i) faults::watch([&] { each.run(result); });
    BOOST_REQUIRE(!result.failed);
    BOOST_REQUIRE(result.right);
    for (auto kind = 0; kind < static_cast<int>(call::count); ++kind) {
      const auto of = static_cast<call>(kind);
      for (int use = 1; use <= faults::uses(of); ++use)
        for (const int error : faults::errors(of)) all.push_back({each, {of, use, error}});
    }
  }
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

struct progress {
  std::size_t running;
  std::size_t struck;  // cases in which the fault came to pass
  char faults[4096];
};

// Runs the cases from `first` on, in a child. Returns the number of the case that it died in, or
// cases.size().
std::size_t run_in_child(const std::vector<one_case>& cases, std::size_t first, progress& shared) {
  shared.running = first;
  const auto child = ::fork();
  checked(child, "fork");
  if (child == 0) {
    for (auto& at = shared.running; at < cases.size(); ++at) {
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
  int status = 0;
  checked(::waitpid(child, &status, 0), "waitpid");
  if (status == 0) return cases.size();
  const auto how = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "hangs" : "dies";
  BOOST_TEST_ERROR(text(cases[shared.running]) << ": " << how << " (status " << status << ")");
  return shared.running;
}

}  // namespace

BOOST_AUTO_TEST_CASE(whichever_call_fails_ends_in_an_error_or_the_right_bytes) {
  const auto cases = chosen_cases();
  auto* shared = static_cast<progress*>(
      ::mmap(nullptr, sizeof(progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  BOOST_REQUIRE((shared != MAP_FAILED));
  for (std::size_t at = 0; at < cases.size(); ++at) at = run_in_child(cases, at, *shared);
  BOOST_TEST(std::string{shared->faults} == "");
  // How often a loop waits differs from run to run, so the last uses of a call may not come.
  BOOST_TEST(shared->struck > cases.size() / 2);
  BOOST_TEST_MESSAGE(cases.size() << " faults injected");
}
