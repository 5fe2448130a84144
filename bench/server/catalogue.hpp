// catalogue: the servers that have a name, and how each is started.
//
//     auto server = find_server("fibers/epoll");   // fibers_echo --quiet --io epoll ...
//     floor_of("fibers/epoll", "asio-callback/epoll");   // floor/epoll, for a duet of the two
//
// A name is who and with what it waits. What follows starts it otherwise than by default:
//
//     fibers/epoll/t2               two threads, each with a loop of its own
//     asio-callback/epoll/t2/shared two threads that share one loop, which only Asio offers
//     fibers/epoll/unix             listens on a path instead of a port
//     fibers/epoll/spin50us         looks for events that long before it sleeps
//     fibers/epoll/inject1000ns     burns that much CPU on each message, to be found by a run
//
// What the command line adds has the name that it gives, or the address where it runs.
#pragma once

#include <bench/record/record.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// Every bundled server as it is by default, whether or not this build and machine have it.
const std::vector<server_info>& bundled_servers();

// One by its name, variants included. Throws usage_error that lists them.
server_info find_server(const std::string& name, const std::vector<server_info>& added = {});

// What a bundled server is to wait with; absent for any other program.
std::optional<std::string> bundled_reactor(const std::string& name);

// Whether a build or a machine may lack it, as not every kernel permits io_uring.
bool may_be_missing(const std::string& name);

// What the command line adds: programs as "name=command", and servers that run already as
// "host:port" or "name=host:port". Throws usage_error with the reasons why one is none.
std::vector<server_info> added_servers(const std::vector<std::string>& commands,
                                       const std::vector<std::string>& targets);

// The bare loop with the same reactor, as many threads and the same kind of socket as both; absent
// where they differ.
std::optional<std::string> floor_of(const std::string& base, const std::string& contender);

// Unlike reactors disturb each other on one core, and who spins leaves no time to the other.
bool may_share_a_core(const std::string& base, const std::string& contender);

// What a server burns on each message because its name says so; absent: nothing.
std::optional<double> injected_ns(const std::string& name);

// What a server is taken to wait with: a program from outside with epoll, as most do.
std::string reactor_of(const std::string& name);

}  // namespace bench
