// asio_echo_*: the echo server on Boost.Asio.
//
// Asio chooses its reactor when it is compiled, so there is one program per reactor.
#include <asio_baseline/tcp_server.hpp>
#include <bench/contract/contract.hpp>
#include <bench/contract/standard_descriptors.hpp>

#include <barrier>
#include <deque>
#include <exception>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using asio_baseline::tcp_server;

// The reactor that Asio itself says it was compiled for.
constexpr std::string_view reactor() {
#if defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
  return "io_uring";
#elif defined(BOOST_ASIO_HAS_EPOLL)
  return "epoll";
#else
  return "select";
#endif
}

asio_baseline::style style_named(std::string_view name) {
  if (name == "coroutine") return asio_baseline::start_coroutine;
  if (name == "spawn") return asio_baseline::start_spawn;
  return asio_baseline::start_callback;
}

// One loop runs on the main thread, because the kernel looks up descriptors without atomic counting
// while a process has a single thread. The line is printed when all loops are constructed, since a
// constructor may throw if its reactor is forbidden, and when all threads have started, since the
// line reports their number.
void serve(const bench::server_options& options) {
  const int drain_signal = bench::drain_signals(options);
  const auto listeners = bench::listening_sockets(options);
  const auto start = style_named(options.style);
  std::deque<tcp_server> loops;
  for (const int listener : listeners) loops.emplace_back(options, listener, drain_signal, start);
  std::barrier all_there{options.threads, [&]() noexcept {
                           bench::announce(options, "asio-" + options.style, options.io,
                                           listeners.front());
                         }};
  const auto run = [&](tcp_server& loop) {
    all_there.arrive_and_wait();
    try {
      loop.run();
    } catch (const std::exception& error) {
      bench::cannot_go_on(options, error.what());
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < static_cast<std::size_t>(options.threads); ++i) {
      auto& loop = loops[i % loops.size()];
      others.push_back(bench::start_thread(options, i + 1, [&] { run(loop); }));
    }
    run(loops.front());
  }
  for (std::size_t i = 0; i < loops.size(); ++i) bench::say_served(options, i, loops[i].counts());
}

}  // namespace

int main(int argc, char** argv) {
  bench::open_missing_descriptors();
  const auto name = "asio_echo_" + std::string{reactor()};
  const auto options = bench::parse_server_options(argc, argv,
                                                   {.name = name,
                                                    .io = {reactor()},
                                                    .automatic = reactor(),
                                                    .styles = {"callback", "coroutine", "spawn"},
                                                    .shapes = {"per-core", "shared"},
                                                    .listens_on_paths = true,
                                                    .spins = true,
                                                    .acknowledges = true});
  try {
    serve(options);
  } catch (const std::exception& error) {
    bench::cannot_go_on(options, error.what());
  }
}
