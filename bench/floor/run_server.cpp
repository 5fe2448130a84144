#include <bench/floor/run_server.hpp>

#include <bench/contract/standard_descriptors.hpp>
#include <bench/floor/loop.hpp>
#if __has_include(<liburing.h>)
#include <bench/floor/ring_waiter.hpp>
#include <bench/floor/uring.hpp>
#endif

#include <barrier>
#include <exception>
#include <thread>
#include <vector>

namespace bench {
namespace {

// From receives of so many bytes on, io_uring is asked which connections are ready
// (ring_waiter.hpp). That loop gathers nothing.
constexpr std::size_t large = 8192;

// The first loop runs on the main thread, because a process with one thread spares the kernel the
// atomic reference count in fdget(). Each thread makes its own loop, since io_uring demands it
// (IORING_SETUP_SINGLE_ISSUER). The listening line is printed when all loops exist: making one
// fails where io_uring is forbidden.
template <typename Loop>
void serve(const server_options& asked, floor_service_maker make, floor_receive_size receive_size) {
  auto options = asked;
  if (receive_size != nullptr) options.buffer = receive_size(asked);
  if (make != nullptr) options.prefix.clear();  // a service answers by itself
  const int drain_signal = bench::drain_signals(options);
  const auto listeners = bench::listening_sockets(options);
  std::barrier all_there{options.threads,
                         [&]() noexcept { announce(asked, "floor", asked.io, listeners.front()); }};
  const auto run = [&](int listener) {
    try {
      const auto service = make != nullptr ? make(asked) : nullptr;
      Loop loop{options, listener, drain_signal, service.get()};
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

int run_floor(int argc, char** argv, server_program program, floor_service_maker make,
              floor_receive_size receive_size) {
  open_missing_descriptors();
  program.io = {"select", "epoll"};
#if __has_include(<liburing.h>)
  program.io.push_back("io_uring");
#endif
  program.automatic = "epoll";
  program.listens_on_paths = program.spins = program.gathers = true;
  const auto options = parse_server_options(argc, argv, program);
  if (options.io == "select") {
    serve<floor_loop<select_waiter>>(options, make, receive_size);
  } else if (options.io == "epoll") {
    serve<floor_loop<epoll_waiter>>(options, make, receive_size);
  }
#if __has_include(<liburing.h>)
  const auto received = receive_size != nullptr ? receive_size(options) : options.buffer;
  const bool streams = received >= large || options.ack > 0;
  if (options.io == "io_uring" && streams) {
    serve<floor_loop<ring_waiter>>(options, make, receive_size);
  } else if (options.io == "io_uring") {
    serve<floor_uring>(options, make, receive_size);
  }
#endif
  return 0;
}

}  // namespace bench
