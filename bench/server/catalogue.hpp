// catalogue: the bundled servers by name, and the command that starts each.
//
//     auto server = find_server("fibers/epoll");   // fibers_echo --quiet --io epoll ...
//     floor_of("fibers/epoll", "asio-callback/epoll");   // floor/epoll, for a duet of the two
//
// A name is a library and a reactor. thread/blocking has a thread per connection and no reactor.
// Suffixes change the defaults:
//
//     fibers/epoll/t2               two threads, each with a loop of its own
//     asio-callback/epoll/t2/shared two threads that share one io_context; only Asio has this
//     fibers/epoll/unix             listens on a Unix socket
//     fibers/epoll/spin50us         polls for events for 50 us before it sleeps
//     fibers/io_uring/gather50us    sleeps so long for several messages; gatheroff: never
//     fibers/epoll/inject1000ns     burns 1,000 ns of CPU per message, as a control
//     fibers/epoll/buffered         reads fields through a buffer; so does asio-coroutine, and with
//                                   /sparing it awaits only what that buffer lacks
//
// libuv/epoll, boost-fiber/epoll, go/epoll, node/epoll and asyncio/epoll are what others would
// write with these. They take a port and nothing else, so they have no suffixes.
//
// A server that the command line adds is named there; without a name, a target's address is its
// name. One of another build of this project is old/fibers/epoll.
#pragma once

#include <bench/record/record.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// Every bundled server with default options, including those that this build or machine lacks.
const std::vector<server_info>& bundled_servers();

// Finds a bundled or an added server by name, suffixes included. Throws usage_error, which lists
// the names.
server_info find_server(const std::string& name, const std::vector<server_info>& added = {});

// The reactor that the name of a bundled server asks for, or of an older one; nullopt for any other
// program.
std::optional<std::string> bundled_reactor(const std::string& name);

// True if a build or machine may lack this server: not every kernel permits io_uring, and not every
// machine has what package_of() names.
bool may_be_missing(const std::string& name);

// The Debian package that a server with no contract is made with; nullopt for any other name.
std::optional<std::string> package_of(const std::string& name);

// True if a fresh process of this server may be slow at first, because it compiles itself while it
// runs (Node.js) or starts a thread for each connection; also for any server that the command line
// adds. The bundled loops are as fast in their first 50 ms as later.
bool may_be_slow_at_first(const std::string& name);

// The servers that the command line adds: programs as "name=command", and running servers as
// "host:port" or "name=host:port". Throws usage_error, which says what is wrong with which.
std::vector<server_info> added_servers(const std::vector<std::string>& commands,
                                       const std::vector<std::string>& targets);

// A bundled server as another build of this project has it, with "old/" before its name. `build` is
// a checkout that was built with the preset "release", its build folder, or the folder of its
// programs. Throws usage_error if the program is in none of these.
server_info older_server(const std::string& name, const std::filesystem::path& build);

// True for a server of older_server() whose program is that of this build, links and all.
bool is_of_this_build(const server_info& older);

// Whether it can be started so that it serves this load. A server that the command line adds serves
// what it is asked for, or the load says that it does not; but it cannot be told to acknowledge.
bool serves(const std::string& name, const scenario& load);

// The same server as this load wants it: its program for HTTP, fields or TLS, and for a stream
// receives that take a message. Servers of others stay as they are.
server_info made_for(server_info server, const scenario& load);

// The bare loop with the reactor, the number of threads and the kind of socket that both servers
// have. nullopt if they differ, if there is no such loop, or if it is one of the two.
std::optional<std::string> floor_of(const std::string& base, const std::string& contender);

// False if the reactors differ, because unlike reactors disturb each other on one CPU; if either
// server spins, because a spinning server leaves the other no CPU time; and if the name of either
// says how it gathers, because the other runs in its window.
bool may_share_a_core(const std::string& base, const std::string& contender);

// The ns of CPU per message that the name asks the server to burn; nullopt: none.
std::optional<double> injected_ns(const std::string& name);

// True if only one of the two has such a delay, or another one: the control of a run.
bool is_injected(const comparison& pair);

// The name of the same server without that delay.
std::string without_injection(const std::string& name);

// The reactor of a server. For a program that is not bundled "epoll" is assumed, as most use it.
std::string reactor_of(const std::string& name);

}  // namespace bench
