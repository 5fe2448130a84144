#include <fibers/programs/tcp_server.hpp>

#include <bench/contract/standard_descriptors.hpp>
#include <fibers/error.hpp>
#include <fibers/nursery.hpp>
#include <fibers/runtime.hpp>
#include <fibers/semaphore.hpp>

#include <atomic>
#include <boost/intrusive/list.hpp>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace fibers::programs {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace intrusive = boost::intrusive;

struct server;

// A connection. It lives from the beginning of its fiber to the end.
struct client : intrusive::list_base_hook<intrusive::link_mode<intrusive::auto_unlink>> {
  client(server& whose, fibers::stream_socket accepted);
  ~client();
  void stop_receiving();

  server& owner;
  fibers::stream_socket stream;
};

// One loop. Each thread has its own, and they share nothing.
struct server {
  server(const bench::server_options& wanted, session talk, int descriptor)
      : options{wanted}, run{talk}, room{bench::connections_per_thread(wanted)} {
    listener.assign(descriptor);
  }

  const bench::server_options& options;
  const session run;
  fibers::stream_listener listener;
  fibers::semaphore room;
  intrusive::list<client, intrusive::constant_time_size<false>> clients;
  bench::connection_counts counts;
  fibers::nursery tasks;  // the last member: its fibers end before what they use
};

client::client(server& whose, fibers::stream_socket accepted)
    : owner{whose}, stream{std::move(accepted)} {
  owner.clients.push_back(*this);
  ++owner.counts.served;
  if (!owner.listener.is_open()) stop_receiving();  // accepted while the drain began
  if (owner.options.quiet) return;
  sockaddr_storage from{};
  socklen_t length = sizeof from;
  ::getpeername(stream.native_handle(), reinterpret_cast<sockaddr*>(&from), &length);
  bench::say_connection_from(from);
}

// Bytes that were received stay readable and are answered. Then the read reports the end.
void client::stop_receiving() {
  error_code gone;
  stream.shutdown(asio::socket_base::shutdown_receive, gone);
}

client::~client() {
  stream.close();
  owner.room.release();
  if (owner.options.quiet) return;
  bench::say_connection_closed();
  bench::say_task_done();
}

// An exception here, mostly for lack of memory, ends this connection and no other.
void serve_client(server& self, fibers::stream_socket accepted) try {
  client peer{self, std::move(accepted)};
  if (self.run(self.options, peer.stream) == asio::error::timed_out) ++self.counts.idle;
} catch (const std::exception&) {
  ++self.counts.refused;
}

// Accepts connections until the drain closes the listener.
void tcp_server(server& self) {
  while (self.listener.is_open()) {
    self.room.acquire();
    bool came = false;
    try {
      auto accepted = self.listener.accept();
      came = true;
      self.tasks.spawn("client", [&self, accepted = std::move(accepted)]() mutable {
        serve_client(self, std::move(accepted));
      });
    } catch (const std::exception&) {  // mostly: no memory left for another fiber
      if (came) {
        ++self.counts.served;
        ++self.counts.refused;
      }
      self.room.release();
      if (self.listener.is_open()) this_fiber::sleep_for(10ms);  // so that it does not spin
    }
  }
}

void drain(server& self, int signal) {
  this_fiber::wait_readable(signal);
  bench::begin_drain(self.options);
  self.listener.close();
  self.room.release();  // wakes tcp_server if it waits for room
  for (auto& peer : self.clients) peer.stop_receiving();
}

// The first fiber of each loop.
void serve(const bench::server_options& options, session talk, unsigned index, int listener,
           int signal) {
  server self{options, talk, listener};
  fibers::nursery end;  // a nursery of its own, so that no exception of a client cancels it
  end.spawn("drain", [&] { drain(self, signal); });
  tcp_server(self);
  if (!self.tasks.join_for(options.drain)) self.tasks.cancel();
  bench::say_served(options, index, self.counts);
}

// Resolves `automatic` once, so that all threads use the same backend. Throws if it does not work.
fibers::io backend_for(const bench::server_options& options) try {
  return fibers::scheduler{*fibers::io_named(options.io)}.backend();
} catch (const boost::system::system_error& error) {
  throw std::runtime_error{"--io " + options.io + ": " + error.what()};
}

fibers::gather gather_as(const bench::gathering& wanted) {
  return wanted.automatic ? fibers::gather::automatic : fibers::gather{wanted.window};
}

}  // namespace

int run_server(int argc, char** argv, bench::server_program program, session talk) {
  bench::open_missing_descriptors();
  program.io = {fibers::io_names.begin() + 1, fibers::io_names.end()};
  program.listens_on_paths = program.spins = program.gathers = true;
  const auto options = bench::parse_server_options(argc, argv, program);
  try {
    const auto backend = backend_for(options);
    const fibers::scheduler_options loop{
        .backend = backend, .spin = options.spin, .gather = gather_as(options.gather)};
    const int signal = bench::drain_signals(options);
    const auto listeners = bench::listening_sockets(options);
    fibers::runtime runtime{static_cast<unsigned>(options.threads), loop};
    std::atomic<int> starting{options.threads};
    runtime.run([&](unsigned index) {
      if (--starting == 0)  // all threads have started
        bench::announce(options, "fibers", fibers::name_of(backend), listeners.front());
      serve(options, talk, index, listeners[index], signal);
    });
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", options.program.c_str(), error.what());
    return 1;
  }
  return 0;
}

}  // namespace fibers::programs
