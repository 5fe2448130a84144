// failure: the exceptions that end a command early; each belongs to an exit code.
//
//     usage_error   2    the command line asks for something that does not exist
//     run_invalid   3    what was measured must not be believed
//     host_failed   6    a host of the load is gone; what was measured before is kept
//     interrupted   130  Ctrl-C; what was measured before is kept
//
// what() is the one line that the user reads.
#pragma once

#include <stdexcept>

namespace bench {

struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct run_invalid : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A server answered with bytes that it was not sent.
struct wrong_reply : run_invalid {
  using run_invalid::run_invalid;
};

// A server did not start, died, or stopped answering.
struct server_failed : run_invalid {
  using run_invalid::run_invalid;
};

// A server closed or reset a connection that owed replies.
struct connection_lost : server_failed {
  using server_failed::server_failed;
};

// A server kept a connection and sent nothing for too long.
struct no_answer : server_failed {
  using server_failed::server_failed;
};

// A server could not be reached.
struct cannot_connect : server_failed {
  using server_failed::server_failed;
};

// A server that could not start: there is no such program, or it exited by itself.
struct not_available : server_failed {
  using server_failed::server_failed;
};

// A host from which load comes, or on which the servers run, cannot be reached, has died or stays
// silent. what() names it.
struct host_failed : run_invalid {
  using run_invalid::run_invalid;
};
inline constexpr int exit_host_failed = 6;

struct interrupted {};
inline constexpr int exit_interrupted = 130;

}  // namespace bench
