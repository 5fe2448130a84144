#include <asio_baseline/run_server.hpp>

#include <bench/contract/standard_descriptors.hpp>

#include <algorithm>
#include <barrier>
#include <deque>
#include <exception>
#include <string>
#include <thread>

namespace asio_baseline {
namespace {

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

// One loop runs on the main thread, because the kernel looks up descriptors without atomic counting
// while a process has a single thread. The line is printed when all loops are constructed, since a
// constructor may throw if its reactor is forbidden, and when all threads have started, since the
// line reports their number.
void serve(const bench::server_options& options, style start) {
  const int drain_signal = bench::drain_signals(options);
  const auto listeners = bench::listening_sockets(options);
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

int run_server(int argc, char** argv, std::string_view stem, bench::server_program program,
               const std::vector<named_style>& styles) {
  bench::open_missing_descriptors();
  const auto name = std::string{stem} + std::string{reactor()};
  program.name = name;
  program.io = {reactor()};
  program.automatic = reactor();
  for (const auto& each : styles) program.styles.push_back(each.name);
  program.shapes = {"per-core", "shared"};
  program.listens_on_paths = program.spins = true;
  const auto options = bench::parse_server_options(argc, argv, program);
  const auto chosen = std::find_if(styles.begin(), styles.end(),
                                   [&](auto& each) { return each.name == options.style; });
  try {
    serve(options, chosen->start);
  } catch (const std::exception& error) {
    bench::cannot_go_on(options, error.what());
  }
  return 0;
}

}  // namespace asio_baseline
