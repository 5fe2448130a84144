// A program that uses the installed library: an echo server with its client, generators, a channel,
// a nursery and a simulation.
#include <fibers/channel.hpp>
#include <fibers/generator.hpp>
#include <fibers/nursery.hpp>
#include <fibers/scheduler.hpp>
#include <fibers/tcp.hpp>
#include <fibers/test.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ranges>
#include <string>

using namespace std::chrono_literals;

namespace {

// Not assert(), because the program may be compiled with NDEBUG, as a user's is.
void expect(bool held, const char* what) {
  if (held) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::exit(1);
}

fibers::generator<int> countdown(int n) {
  return {[n](auto& yield) mutable {
    for (; n > 0; --n) yield(n);
  }};
}

void drive_generators() {
  auto counter = countdown(5);
  expect(counter.next() == 5, "a generator begins");
  counter.send(7);
  int sum = 0;
  for (int v : counter) sum += v;
  expect(sum == 3 + 2 + 1, "a loop takes up where send() left off");
#if !defined(__clang__) || __clang_major__ >= 16  // which can compile the views of libstdc++ 12
  int taken = 0;
  for (int v : countdown(10) | std::views::take(3)) taken += v;
  expect(taken == 10 + 9 + 8, "a generator is a view");
#endif
}

void say_hello(fibers::scheduler& scheduler) {
  auto stream = fibers::tcp::connect("127.0.0.1", 25000);
  boost::asio::write(stream, boost::asio::buffer("hello", 5));
  std::string reply(5, '\0');
  boost::asio::read(stream, boost::asio::buffer(reply));
  expect(reply == "hello", "the server echoes");
  scheduler.stop();
}

void serve_and_ask() {
  fibers::scheduler scheduler;
  scheduler.spawn("listener", [&] {
    fibers::tcp::listener listener{"127.0.0.1", 25000};
    for (;;)
      scheduler.spawn("session", [stream = listener.accept()]() mutable {
        std::array<char, 1000> buffer;
        boost::system::error_code error;
        while (auto n = stream.read_some(boost::asio::buffer(buffer), error)) {
          boost::asio::write(stream, boost::asio::buffer(buffer, n), error);
          if (error) break;
        }
      });
  });
  scheduler.spawn("client", [&] { say_hello(scheduler); });
  scheduler.run();
}

void work_together() {
  fibers::scheduler scheduler{fibers::io::select};
  int sum = 0;
  scheduler.spawn("parent", [&] {
    fibers::channel<int> numbers{2};
    fibers::nursery group;
    group.spawn([&] {
      for (int n : {1, 2, 3}) numbers.push(n);
      numbers.close();
    });
    group.spawn([&] {
      for (int n : numbers) sum += n;
      fibers::this_fiber::yield();
      fibers::this_fiber::sleep_for(1ms);
      expect(!fibers::this_fiber::get_stop_token().stop_requested(), "nobody asked to stop");
      expect(fibers::this_fiber::get_id() != 0, "a fiber has an id");
    });
    group.join();
  });
  scheduler.run();
  expect(sum == 6, "a channel carries every number");
}

void simulate() {
  fibers::test::simulation world;
  world.spawn([] { fibers::this_fiber::sleep_for(24h); });
  world.run();
  expect(world.elapsed() == 24h, "a simulated day passes at once");
}

}  // namespace

int main() try {
  drive_generators();
  work_together();
  simulate();
  serve_and_ask();
} catch (const boost::system::system_error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  constexpr int skipped = 77;
  return error.code() == boost::asio::error::address_in_use ? skipped : 1;
}
