// server contract: what every server under test takes, prints and promises, written once.
//
//     const bench::server_program program{.name = "floor_echo", .io = {"select", "epoll"},
//                                         .automatic = "epoll", .styles = {}};
//     int main(int argc, char** argv) {
//       const auto options = bench::parse_server_options(argc, argv, program);
//       const int drain = bench::drain_signals();   // before the first thread starts
//       ...                                         // listen, or bench::cannot_listen(...)
//       bench::announce(options, "floor", options.io, listener);
//
// It belongs to no side: servers include it, it includes none of them. What it promises for them:
//
// * A reply is the prefix and the bytes of one receive of at most `buffer` bytes, whole.
// * While a reply is not sent nothing more is read from that client, so its memory is bounded.
// * A connection on which no byte moved in either direction for `idle_timeout` is closed.
// * At `max_connections` clients wait in the backlog until one leaves.
// * When descriptors run out, accepting pauses (about 10 ms, or until one is closed).
// * SIGTERM and SIGINT drain: the listener is closed, every connection's receiving side is shut
//   down, what was received is answered; what is still open after `drain` is closed; exit 0.
// * TCP_NODELAY is set on the listener and inherited by every connection.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace bench {

// What a program says of itself before it is started.
struct server_program {
  std::string_view name;             // fibers_echo: leads every message of its own
  std::vector<std::string_view> io;  // what --io accepts beside auto
  std::string_view automatic;        // what auto means; empty: the program finds out itself
  std::vector<std::string_view>
      styles;  // what --style accepts, the default first; empty: no --style
  std::vector<std::string_view> shapes = {};  // what --shape accepts, likewise
  bool listens_on_paths = false;              // --unix
  bool spins = false;                         // --spin
};

// Defaults are in the table of options.cpp, which --help prints.
struct server_options {
  std::string program;    // server_program::name
  std::string host;       // a numeric address: localhost and the empty host are resolved
  std::uint16_t port;     // 0: any
  std::string unix_path;  // of the socket to listen on; empty: host and port count
  std::string io;         // one of server_program::io, or "auto" where `automatic` is empty
  int threads;            // each has its own loop and its own SO_REUSEPORT listener
  std::string prefix;     // leads each reply
  std::size_t buffer;     // most bytes one receive takes
  int backlog;
  std::size_t max_connections;            // 0: unlimited
  std::chrono::nanoseconds idle_timeout;  // 0: never
  std::chrono::nanoseconds drain;
  bool quiet;
  std::string style;                   // empty where there is no --style
  std::string shape;                   // per-core or shared; empty where there is no --shape
  std::chrono::nanoseconds spin;       // to look for events before sleeping; 0: sleep at once
  std::chrono::nanoseconds inject_ns;  // to spend_cpu() on each message before the reply
};

// Bad arguments: one line on standard error that names the argument and what it accepts, exit 2.
// --help: usage on standard output, exit 0.
server_options parse_server_options(int argc, const char* const* argv,
                                    const server_program& program);

// How many loops there are: one a thread, or one that all threads share.
int loops(const server_options& options);

// `max_connections` shared among the loops, rounded up; the largest number where unlimited.
std::size_t connections_per_thread(const server_options& options);

// For servers that make their own listeners. With more than one thread SO_REUSEPORT would let a
// second server share the port in silence, so this asks for the port without it first. Does not
// return if it is taken. With --unix: likewise, and the socket file of a dead server is removed.
void expect_port_free(const server_options& options);

// For servers that do not: a non-blocking listener a loop, all on one port. With --unix it is one
// listener, duplicated: there is no SO_REUSEPORT for paths.
std::vector<int> listening_sockets(const server_options& options);

// With --unix: the file goes, once, whichever thread asks first. To call when draining begins and
// before the listener is closed: afterwards the path may belong to another server.
void remove_socket_file(const server_options& options);

// "fibers_echo: cannot listen on 127.0.0.1:25000: Address already in use" and exit 1.
[[noreturn]] void cannot_listen(const server_options& options, std::string_view reason);

// "floor_echo: start thread 3 of 4: Resource temporarily unavailable" and exit 1, whatever other
// threads are doing.
[[noreturn]] void cannot_go_on(const server_options& options, std::string_view reason);

// One thread of several. Where it cannot start, neither can the server.
std::jthread start_thread(const server_options& options, std::size_t number,
                          std::function<void()> body);

// Prints and flushes the listening line. The port and TCP_NODELAY are read from the socket, so the
// line is true. `server` is the side (fibers, asio-callback, floor), `io` what really waits.
//
//     listening host=127.0.0.1 port=25000 server=floor io=epoll threads=1 buffer=1000 nodelay=1 ...
//     listening unix=/tmp/echo server=floor io=epoll threads=1 buffer=1000 nodelay=1 ...
//
// On a path nothing is ever delayed, so nodelay is 1 there. After the pid follow, where they say
// something, shape=shared or per-core (of two threads and more), spin=50us and debug=1.
void announce(const server_options& options, std::string_view server, std::string_view io,
              int listener);

// Blocks SIGTERM and SIGINT, ignores SIGPIPE, and returns a descriptor that becomes readable when a
// server is to drain. Nobody reads it, so it stays readable and any number of loops may wait on it.
// Call it before the first thread starts: threads inherit the mask.
int drain_signals();

// The seed's lines. The caller asks for `quiet` first, so that silence costs nothing.
void say_connection_from(std::string_view address, std::uint16_t port);
void say_connection_from(const sockaddr_storage& address);  // of any family
void say_connection_closed();
void say_task_done();
// At the end, where there are several threads: how the kernel shared the connections out.
void say_served(const server_options& options, std::size_t loop, std::size_t connections);

// Burns that much time on the processor.
void spend_cpu(std::chrono::nanoseconds cost);

}  // namespace bench
