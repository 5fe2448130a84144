// tcp_server: what every server on fibers does, whatever it serves: it accepts, gives each
// connection a fiber, and drains. The rest is a session.
//
//     fibers::error_code shout(const bench::server_options&, fibers::stream_socket& stream) { ... }
//     int main(int argc, char** argv) {
//       return fibers::programs::run_server(argc, argv, {.name = "shout"}, shout);
//     }
#pragma once

#include <bench/contract/contract.hpp>
#include <fibers/error.hpp>
#include <fibers/stream_socket.hpp>

namespace fibers::programs {

// Serves one connection in its own fiber and returns why it ended. The caller closes the stream.
// timed_out counts as an idle client. An exception ends this connection and no other.
using session = error_code (*)(const bench::server_options& options, stream_socket& stream);

// A whole main(): reads the options, listens, serves until the drain has ended, and returns the
// exit code. Of `program`, the members that name reactors and abilities of the loop are set here.
int run_server(int argc, char** argv, bench::server_program program, session talk);

}  // namespace fibers::programs
