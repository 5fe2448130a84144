#include <fibers/generator.hpp>
#include <fibers/nursery.hpp>
#include <fibers/reactors/make_reactor.hpp>
#include <fibers/scheduler.hpp>
#include <fibers/tcp.hpp>
#include <fibers/this_fiber.hpp>
#include <tests/child_process.hpp>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

// --- what runs under Valgrind ----------------------------------------------------------------

void demand(bool holds) {
  if (!holds) std::abort();
}

void answer(fibers::tcp::stream stream) {
  std::array<char, 1000> buffer;
  fibers::error_code error;
  while (const auto size = stream.read_some(asio::buffer(buffer), error)) {
    asio::write(stream, asio::buffer(buffer, size), error);
  }
}

void ask(const fibers::tcp::endpoint& server) {
  auto stream = fibers::tcp::connect("127.0.0.1", server.port());
  const std::string question(3000, 'x');
  std::string reply(question.size(), ' ');
  for (int i = 0; i < 3; ++i) {
    asio::write(stream, asio::buffer(question));
    asio::read(stream, asio::buffer(reply));
    demand(reply == question);
  }
}

// Connections that come, are answered and go: more fibers than the pool of stacks begins with.
void echo_on(fibers::io which) {
  fibers::scheduler scheduler{which};
  scheduler.spawn("listener", [] {
    fibers::tcp::listener listener{"127.0.0.1", 0};
    fibers::nursery group;
    for (int i = 0; i < 20; ++i) {
      group.spawn("client", [at = listener.local_endpoint()] { ask(at); });
      group.spawn("session", [stream = listener.accept()]() mutable { answer(std::move(stream)); });
    }
    group.join();
  });
  scheduler.run();
}

// All in one process, because Valgrind takes seconds to begin.
void echo_on_all_others() {
  for (const auto which : {fibers::io::select, fibers::io::poll, fibers::io::epoll}) echo_on(which);
}
void echo_on_io_uring() {
  echo_on(fibers::io::io_uring);
}

int sum_of(int numbers) {
  fibers::generator<int> generator{[numbers](auto& yield) {
    for (int i = 1; i <= numbers; ++i) yield(i);
  }};
  int sum = 0;
  for (const int each : generator) sum += each;
  return sum;
}

// A stack that comes back is given to a body of another size, whose captures lie where the frames
// of the last one were.
void reuse_stacks(fibers::scheduler& scheduler) {
  std::array<char, 3000> large{};
  for (int i = 0; i < 20; ++i) {
    scheduler
        .spawn("small",
               [] {
                 fibers::this_fiber::yield();
                 demand(sum_of(10) == 55);
               })
        .join();
    scheduler.spawn("large", [large] { demand(large.back() == 0); }).join();
  }
}

void throw_and_cancel() {
  fibers::nursery group;
  group.spawn("sleeper", [] { fibers::this_fiber::sleep_for(1h); });
  group.spawn("thrower", [] { throw std::runtime_error{"enough"}; });
  try {
    group.join();
    demand(false);
  } catch (const std::runtime_error&) {
  }
}

void run_some_fibers() {
  fibers::scheduler scheduler;
  scheduler.spawn("main", [&] {
    reuse_stacks(scheduler);
    throw_and_cancel();
  });
  scheduler.run();
}

void all_else() {
  run_some_fibers();
  std::thread other{run_some_fibers};
  other.join();
  run_some_fibers();  // also on stacks of the thread that has ended
}

// --- errors that Valgrind must still find ----------------------------------------------------

void in_a_second_fiber(void (*function)()) {
  fibers::scheduler scheduler;
  scheduler.spawn("first", [&scheduler, function] {
    scheduler.spawn([] { demand(sum_of(10) == 55); }).join();
    scheduler.spawn(function).join();  // on a stack that has been used
  });
  scheduler.run();
}

void read_what_nobody_wrote() {
  in_a_second_fiber([] {
    int number;
    const int* volatile unknown_to_the_compiler = &number;
    if (*unknown_to_the_compiler == 1) std::abort();
  });
}

void leak() {
  in_a_second_fiber([] {
    [[maybe_unused]] void* volatile lost = std::malloc(4);
    lost = nullptr;
  });
}

// --- Valgrind --------------------------------------------------------------------------------

// memcheck as a user calls it: 9 if there was an error or a leak.
ended_process under_valgrind(const std::string& role) {
  return run_program({VALGRIND, "--leak-check=full", "--error-exitcode=9",
                      std::filesystem::read_symlink("/proc/self/exe").string(), "--role=" + role});
}

void expect_no_complaint(const std::string& role) {
  const auto ended = under_valgrind(role);
  BOOST_TEST(ended.exit_code == 0, ended.errors);
  BOOST_TEST(ended.errors.find("ERROR SUMMARY: 0 errors") != std::string::npos, ended.errors);
  BOOST_TEST(ended.errors.find("Warning:") == std::string::npos, ended.errors);
  BOOST_TEST(ended.errors.find("WARNING:") == std::string::npos, ended.errors);
}

boost::test_tools::assertion_result io_uring_works(boost::unit_test::test_unit_id) {
  try {
    fibers::make_reactor(fibers::io::io_uring);
  } catch (const std::exception& error) {
    boost::test_tools::assertion_result refused{false};
    refused.message() << error.what();
    return refused;
  }
  return true;
}

}  // namespace

BOOST_AUTO_TEST_CASE(memcheck_has_nothing_to_say_of_echoes_on_select_poll_and_epoll) {
  expect_no_complaint("echo on all others");
}

BOOST_AUTO_TEST_CASE(memcheck_has_nothing_to_say_of_an_echo_on_io_uring,
                     *boost::unit_test::precondition(io_uring_works)) {
  expect_no_complaint("echo on io_uring");
}

BOOST_AUTO_TEST_CASE(memcheck_has_nothing_to_say_of_stacks_that_are_used_again) {
  expect_no_complaint("all else");
}

BOOST_AUTO_TEST_CASE(memcheck_finds_that_a_fiber_reads_what_nobody_wrote) {
  const auto ended = under_valgrind("read what nobody wrote");
  BOOST_TEST(ended.exit_code == 9, ended.errors);
  BOOST_TEST(ended.errors.find("depends on uninitialised") != std::string::npos, ended.errors);
}

BOOST_AUTO_TEST_CASE(memcheck_finds_what_a_fiber_leaks) {
  const auto ended = under_valgrind("leak");
  BOOST_TEST(ended.exit_code == 9, ended.errors);
  BOOST_TEST(ended.errors.find("definitely lost: 4 bytes") != std::string::npos, ended.errors);
}

int main(int argc, char** argv) {
  return run_tests_or_role({{"echo on all others", echo_on_all_others},
                            {"echo on io_uring", echo_on_io_uring},
                            {"all else", all_else},
                            {"read what nobody wrote", read_what_nobody_wrote},
                            {"leak", leak}},
                           argc, argv);
}
