// echo: floor_echo, an echo server that uses no runtime library, only the loops of loop.hpp and
// uring.hpp.
#include <bench/contract/contract.hpp>
#include <bench/contract/standard_descriptors.hpp>
#include <bench/floor/loop.hpp>
#if __has_include(<liburing.h>)
#include <bench/floor/ring_waiter.hpp>
#include <bench/floor/uring.hpp>
#endif

#include <barrier>
#include <cstddef>
#include <exception>
#include <thread>
#include <vector>

namespace {

using bench::server_options;

// From this --buffer on, io_uring is asked which connections are ready (ring_waiter.hpp). That loop
// gathers nothing.
constexpr std::size_t large = 8192;

const bench::server_program program {
  .name = "floor_echo",
#if __has_include(<liburing.h>)
  .io = {"select", "epoll", "io_uring"},
#else
  .io = {"select", "epoll"},
#endif
  .automatic = "epoll", .styles = {}, .listens_on_paths = true, .spins = true, .gathers = true,
  .acknowledges = true
};

// The first loop runs on the main thread, because a process with one thread spares the kernel the
// atomic reference count in fdget(). Each thread makes its own loop, since io_uring demands it
// (IORING_SETUP_SINGLE_ISSUER). The listening line is printed when all loops exist: making one
// fails where io_uring is forbidden.
template <typename Loop>
void serve(const server_options& options) {
  const int drain_signal = bench::drain_signals(options);
  const auto listeners = bench::listening_sockets(options);
  std::barrier all_there{options.threads, [&]() noexcept {
                           bench::announce(options, "floor", options.io, listeners.front());
                         }};
  const auto run = [&](int listener) {
    try {
      Loop loop{options, listener, drain_signal};
      all_there.arrive_and_wait();
      loop.run();
    } catch (const std::exception& error) {
      bench::cannot_go_on(options, error.what());
    }
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < listeners.size(); ++i) {
    others.push_back(bench::start_thread(options, i + 1, [&, i] { run(listeners[i]); }));
  }
  run(listeners.front());
}

}  // namespace

int main(int argc, char** argv) {
  bench::open_missing_descriptors();
  const auto options = bench::parse_server_options(argc, argv, program);
  if (options.io == "select") {
    serve<bench::floor_loop<bench::select_waiter>>(options);
  } else if (options.io == "epoll") {
    serve<bench::floor_loop<bench::epoll_waiter>>(options);
  }
#if __has_include(<liburing.h>)
  const bool streams = options.buffer >= large || options.ack > 0;
  if (options.io == "io_uring" && streams) {
    serve<bench::floor_loop<bench::ring_waiter>>(options);
  } else if (options.io == "io_uring") {
    serve<bench::floor_uring>(options);
  }
#endif
}
