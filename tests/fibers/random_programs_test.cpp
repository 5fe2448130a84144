// Programs that a seed has written, run and checked against a model:
//
//     random_programs_test -- simulated              in virtual time, as CTest does
//     random_programs_test -- epoll                  the same programs on a real reactor
//     random_programs_test -- simulated 1000000      that many programs
//     random_programs_test -- simulated 1 12345      one program, from seed 12345
//     random_programs_test -- simulated FILE         the program in that file
//
// A program that fails is made shorter and printed in the form in which FILE has it.
#include <fibers/reactors/make_reactor.hpp>

#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>

#include <tests/fibers/forced_settings.hpp>
#include <tests/fibers/random_programs/search.hpp>
#include <tests/fibers/random_programs/trial.hpp>

using namespace random_programs;
using namespace std::chrono_literals;
using fibers::test::simulation;

namespace {

std::string argument(int index, const char* otherwise) {
  const auto& suite = boost::unit_test::framework::master_test_suite();
  return suite.argc > index ? suite.argv[index] : otherwise;
}

// Nothing: a simulation.
std::optional<fibers::io> backend() {
  const auto name = argument(1, "simulated");
  if (name == "simulated") return std::nullopt;
  if (force_settings(name)) return fibers::io::io_uring;
  if (const auto named = fibers::io_named(name)) return named;
  throw std::invalid_argument{name + " is no reactor"};
}

// Only io_uring may be missing; every Linux has the others.
struct available_backend {
  available_backend() try {
    if (backend()) fibers::make_reactor(*backend());
  } catch (const boost::system::system_error& error) {
    if (backend() != fibers::io::io_uring) throw;
    std::cout << "skipped: " << error.what() << '\n';
    std::exit(77);
  }
};
BOOST_TEST_GLOBAL_FIXTURE(available_backend);

void report(const program& failing) {
  const auto shorter = shortened(failing, backend());
  BOOST_ERROR("this program fails:\n"
              << text_of(shorter) << fault_of(shorter, backend()).value_or("(only now and then)")
              << "\nit was made from:\n"
              << text_of(failing));
}

void run_file(const std::string& path) {
  std::ifstream file{path};
  if (!file) throw std::invalid_argument{"there is no " + path};
  const auto read = program_of(std::string{std::istreambuf_iterator<char>{file}, {}});
  if (const auto wrong = fault_of(read, backend())) BOOST_ERROR(*wrong);
}

boost::test_tools::assertion_result is_simulated(boost::unit_test::test_unit_id) {
  return !backend();
}
const boost::unit_test::precondition in_virtual_time{is_simulated};

class stopwatch {
 public:
  explicit stopwatch(const char* what) : what_{what} {}
  ~stopwatch() {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin_;
    BOOST_TEST_MESSAGE(what_ << " took " << took.count() << " s");
  }

 private:
  const char* what_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// Answers each line with itself.
void serve(const std::string& name) {
  fibers::local::listener listener{name};
  fibers::nursery sessions;
  for (;;) {
    sessions.spawn([stream = listener.accept()]() mutable {
      fibers::error_code failed;
      stream.expires_when_idle(24h * 3);
      for (std::string line; !failed; line.clear()) {
        boost::asio::read_until(stream, boost::asio::dynamic_buffer(line), '\n', failed);
        if (!failed) boost::asio::write(stream, boost::asio::buffer(line), failed);
      }
    });
  }
}

// Asks a question per day until `end`, and connects anew whenever that fails.
void ask_daily(const std::string& name, fibers::clock::time_point end, int& answered,
               int& failures) {
  fibers::local::stream stream;
  for (int day = 0; fibers::clock::now() < end; ++day) {
    fibers::error_code failed;
    const auto question = "what is new on day " + std::to_string(day) + "?\n";
    std::string answer;
    if (!stream.is_open()) stream.connect(name, failed);
    stream.expires_after(20h);
    if (!failed) boost::asio::write(stream, boost::asio::buffer(question), failed);
    if (!failed) {
      boost::asio::read_until(stream, boost::asio::dynamic_buffer(answer), '\n', failed);
    }
    if (failed) {
      ++failures;
      stream.close();
    } else {
      ++answered;
      BOOST_TEST(answer == question);
    }
    fibers::this_fiber::sleep_for(24h);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(random_programs_test)

BOOST_AUTO_TEST_CASE(every_program_keeps_what_the_library_promises) {
  const auto wanted = argument(2, backend() ? "150" : "2000");
  if (wanted.find_first_not_of("0123456789") != std::string::npos) return run_file(wanted);
  const auto seed = std::stoull(argument(3, "1"));
  const auto failing = first_failing(seed, std::stoull(wanted), backend());
  BOOST_TEST(!failing.has_value());
  if (failing) report(random_program(*failing));
}

BOOST_AUTO_TEST_CASE(a_program_can_be_read_back) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto written = random_program(seed);
    BOOST_TEST((program_of(text_of(written)) == written));
  }
  BOOST_CHECK_THROW(program_of("fiber fly 1 2\n"), std::invalid_argument);
  BOOST_CHECK_THROW(program_of("task sleep 1 2\n"), std::invalid_argument);
}

// Counted in polls, so that the machine's speed plays no part.
BOOST_AUTO_TEST_CASE(a_week_of_timers_takes_a_poll_for_each_moment, *in_virtual_time) {
  constexpr auto nap = 6s;
  constexpr int naps = 24h * 7 / nap;
  simulation world;
  for (int fiber = 0; fiber < 7; ++fiber) {
    world.spawn([=] {
      for (int i = 0; i < naps; ++i) fibers::this_fiber::sleep_for(nap);
    });
  }
  const stopwatch watch{"a week of timers"};
  world.run();
  BOOST_TEST((world.elapsed() == 24h * 7));
  BOOST_TEST(world.polls() <= naps + 10u);
}

// Each day each of eight clients asks something, over connections that break and are made again.
BOOST_AUTO_TEST_CASE(a_year_under_faults_takes_some_polls_per_question, *in_virtual_time) {
  constexpr int days = 365, clients = 8;
  simulation world{2026};
  world.faults({.short_counts = 0.5,
                .delays = 0.5,
                .longest_delay = 1h,
                .resets = 0.01,
                .refusals = 0.1,
                .shortages = 0.1});
  const std::string name{"\0fibers.year", 12};
  const auto end = world.now() + 24h * days;
  int answered = 0, failed = 0;
  world.spawn("server", [&] { serve(name); });
  world.spawn("clients", [&] {
    fibers::nursery group;
    for (int i = 0; i < clients; ++i) group.spawn([&] { ask_daily(name, end, answered, failed); });
    group.join();
    world.scheduler().stop();
  });
  const stopwatch watch{"a year under faults"};
  world.run();
  BOOST_TEST_MESSAGE(answered << " answers, " << failed << " failures, " << world.polls()
                              << " polls");
  BOOST_TEST(answered > days * clients / 2);
  BOOST_TEST(failed > days / 10);
  BOOST_TEST((world.elapsed() >= 24h * days && world.elapsed() < 24h * (days + 1)));
  BOOST_TEST(world.polls() < 100u * days * clients);
}

BOOST_AUTO_TEST_SUITE_END()
