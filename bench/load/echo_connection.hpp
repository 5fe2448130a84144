// echo connection: reaching a server, and learning how it answers.
//
//     auto prefix = detect_prefix("fibers/epoll", address, 5s, stop);   // "GOT:"
#pragma once

#include <atomic>
#include <bench/contract/descriptor.hpp>
#include <bench/load/address.hpp>
#include <chrono>
#include <string>

namespace bench {

// A blocking connection with TCP_NODELAY. Throws server_failed that names the server, or
// interrupted where a signal came and `stop` is true.
descriptor connect_to(const std::string& name, const address& where,
                      std::chrono::nanoseconds patience, const std::atomic<bool>& stop);

// A connection that is being opened, with TCP_NODELAY, which does not wait: what is sent before it
// is open is refused with EAGAIN. Throws like the other.
descriptor begin_connecting(const std::string& name, const address& where);

// What the server puts before the bytes it received; it is asked over a connection of its own.
// Throws wrong_reply if it does not echo at all.
std::string detect_prefix(const std::string& name, const address& where,
                          std::chrono::nanoseconds patience, const std::atomic<bool>& stop);

}  // namespace bench
