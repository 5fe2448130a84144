// contract: what every server under test accepts, prints and guarantees, written once.
//
//     const bench::server_program program{.name = "floor_echo", .io = {"select", "epoll"},
//                                         .automatic = "epoll", .styles = {}};
//     int main(int argc, char** argv) {
//       bench::open_missing_descriptors();
//       const auto options = bench::parse_server_options(argc, argv, program);
//       const int drain = bench::drain_signals(options);  // before the first thread starts
//       ...                                         // listens, or bench::cannot_listen(...)
//       bench::announce(options, "floor", options.io, listener);
//
// It is neutral: servers include it, and it includes none of them. Every server guarantees:
//
// * A reply of an echo server is the prefix and the bytes of one receive of at most `buffer` bytes,
//   whole. With --ack it is a newline instead, whenever so many bytes have come.
// * While a reply is not fully sent, nothing more is read from that client. So memory per client is
//   bounded.
// * A connection on which no byte moved in either direction for `idle_timeout` is closed. Where
// Asio
//   serves something else than a plain echo, only whole requests, handshakes and answers count.
// * At `max_connections`, further clients wait in the backlog until a connection ends.
// * A server never waits for whoever reads its standard output, and a file that cannot take another
//   line does not end it.
// * When descriptors run out, accepting pauses for about 10 ms or until a connection ends.
// * SIGTERM, SIGINT and SIGHUP (unless it starts with SIGHUP ignored, as under nohup) drain: the
//   server closes the listener, calls shutdown(SHUT_RD) on every connection, answers what it has
//   received, closes what is still open after `drain`, and exits with 0. A second signal ends it at
//   once.
// * A server works without standard input, output and error (standard_descriptors.hpp).
// * TCP_NODELAY is set on the listener, and every connection inherits it.
#pragma once

#include <bench/contract/steering.hpp>

#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace bench {

// What a server program supports.
struct server_program {
  std::string_view name{};             // such as fibers_echo; begins every error message
  std::vector<std::string_view> io{};  // what --io accepts, except auto
  std::string_view automatic{};        // what auto means; empty: the program decides itself
  // What --style accepts, default first; empty: no --style.
  std::vector<std::string_view> styles = {};
  // What --shape and --reads accept, default first; empty: the option is not offered.
  std::vector<std::string_view> shapes = {};
  std::vector<std::string_view> reads = {};
  bool listens_on_paths = false;  // offers --unix
  bool spins = false;             // offers --spin
  bool gathers = false;           // offers --gather
  bool acknowledges = false;      // offers --ack
  bool echoes = true;             // offers --prefix and --buffer
  // What --help says first.
  std::string_view purpose =
      "An echo server: each reply is the prefix and the bytes of one receive.";
  // Every connection has a thread of its own, so --threads accepts 1: the thread that accepts.
  bool thread_per_connection = false;
};

// Whether a loop on io_uring sleeps until several messages are there.
struct gathering {
  bool automatic = true;              // the server decides when, and for how long
  std::chrono::nanoseconds window{};  // otherwise: how long at most; 0: never
};

inline constexpr std::size_t most_buffer = 16777216;
inline constexpr std::size_t least_ack = 1024;

// The defaults are in options_table in options.cpp; --help prints them.
struct server_options {
  std::string program;    // server_program::name
  std::string host;       // numeric; localhost and '' are replaced
  std::uint16_t port;     // 0: any free port
  std::string unix_path;  // path of the Unix socket; empty: TCP
  std::string io;         // one of server_program::io; "auto" only if `automatic` is empty
  int threads;            // each has its own loop and its own SO_REUSEPORT listener
  steering steer;         // which of these listeners gets a connection; one loop: of no effect
  std::string prefix;     // precedes each reply
  std::size_t buffer;     // most bytes per receive
  std::size_t ack;        // 0: echo; see acknowledgements.hpp
  std::string reads;      // how fields are read; empty: no --reads
  int backlog;
  std::size_t max_connections;            // 0: unlimited
  std::chrono::nanoseconds idle_timeout;  // 0: no timeout
  std::chrono::nanoseconds drain;
  bool quiet;
  std::string style;              // empty: no --style
  std::string shape;              // per-core or shared; empty: no --shape
  std::chrono::nanoseconds spin;  // how long to poll for events before sleeping; 0: sleep at once
  gathering gather;
  std::chrono::nanoseconds inject_ns;  // CPU time to burn at each receive, before the reply
};

// what() is one line that names the argument and what it accepts.
struct bad_arguments : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Reads the command line; nullopt: it asks for --help or --version. Throws bad_arguments.
std::optional<server_options> read_server_options(int argc, const char* const* argv,
                                                  const server_program& program);

// The same for main(). Bad arguments: prints what() to standard error and exits with 2. --help and
// --version: prints the usage, or version_line(), to standard output and exits with 0.
server_options parse_server_options(int argc, const char* const* argv,
                                    const server_program& program);

// The number of event loops: one per thread, or one that all threads share (--shape shared).
int loops(const server_options& options);

// `max_connections` divided among the loops, rounded up. Unlimited: the maximum of std::size_t.
std::size_t connections_per_thread(const server_options& options);

// For servers that create their own listeners. Exits with 1 if the port is taken, and is still
// taken half a second later: the kernel may hold the port of a server that was killed for a moment.
// With several loops, SO_REUSEPORT would let a second server share the port silently, so this binds
// the port once without it. With --unix it exits with 1 if a server listens on the path, and
// removes the socket file of a server that has ended.
void expect_port_free(const server_options& options);

// For servers that do not create their own: one non-blocking listener per loop, all on the same
// port, and connections are steered to them as --steer says. With --unix they are duplicates of one
// listener, because Unix sockets have no SO_REUSEPORT. Exits with 1 if it cannot listen, or the
// kernel refuses to steer.
std::vector<int> listening_sockets(const server_options& options);

// Prints "fibers_echo: cannot listen on 127.0.0.1:25000: Address already in use", exits with 1.
[[noreturn]] void cannot_listen(const server_options& options, std::string_view reason);

// Prints a line such as "floor_echo: start thread 3 of 4: Resource temporarily unavailable" and
// ends the process with status 1, whatever other threads are doing.
[[noreturn]] void cannot_go_on(const server_options& options, std::string_view reason);

// Starts thread `number` of a server. If that fails: cannot_go_on().
std::jthread start_thread(const server_options& options, std::size_t number,
                          std::function<void()> body);

// Prints and flushes the listening line. Port and TCP_NODELAY are read from the socket, so the line
// states facts. `server` is the side, such as fibers, asio-callback or floor; `io` is the reactor
// in use.
//
//     listening host=127.0.0.1 port=25000 server=floor io=epoll threads=1 buffer=1000 nodelay=1 ...
//     listening unix=/tmp/echo server=floor io=epoll threads=1 buffer=1000 nodelay=1 ...
//
// nodelay is 1 for Unix sockets, which never delay anything. After the pid follow, if they apply:
// shape=shared or shape=per-core (two threads or more), steer=port or steer=turn (two loops or
// more), spin=50us, gather=off or gather=50us, ack=65536, debug=1.
void announce(const server_options& options, std::string_view server, std::string_view io,
              int listener);

// Blocks the signals that drain a server, and SIGUSR1, by which loops tell each other that the
// drain has begun. Ignores SIGPIPE and SIGXFSZ. Returns a signalfd that becomes readable when the
// server should drain. No loop reads from it, so it stays readable for all loops. Call it before
// the first thread starts, because threads inherit the signal mask. Exits with 1 if descriptors
// have run out.
int drain_signals(const server_options& options);

// Each loop calls it when that descriptor is readable, before it closes its listener. With --unix
// the first call removes the socket file: afterwards another server may own the path. A file that
// another process has put there meanwhile stays. From then on a signal ends the process at once.
void begin_drain(const server_options& options);

// What servers print without --quiet, with the words of the Python programs that they replace. The
// caller checks `quiet` first, so that a quiet server does not even format them. Where nobody reads
// standard output and a pipe is full, lines are dropped.
void say_connection_from(std::string_view address, std::uint16_t port);
void say_connection_from(const sockaddr_storage& address);  // any address family
void say_connection_closed();
void say_task_done();

// The connections of a loop.
struct connection_counts {
  std::size_t served = 0;   // all that were accepted
  std::size_t idle = 0;     // of these: ended by idle_timeout
  std::size_t refused = 0;  // of these: ended at once or later because memory had run out
};

// Printed at the end by servers with several threads, to show how the kernel distributed the
// connections, and by each loop that has sent a client away:
//
//     Loop 0 served 300, of which 280 were idle for too long and 0 found no memory
void say_served(const server_options& options, std::size_t loop, const connection_counts& counts);

// Busy-waits for `cost`.
void spend_cpu(std::chrono::nanoseconds cost);

}  // namespace bench
