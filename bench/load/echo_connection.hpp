// echo_connection: connects to a server and finds out how it answers.
//
//     auto prefix = detect_prefix("fibers/epoll", address, 5s, stop);   // "GOT:"
#pragma once

#include <atomic>
#include <bench/contract/descriptor.hpp>
#include <bench/load/address.hpp>
#include <chrono>
#include <string>

namespace bench {

// Opens a blocking connection with TCP_NODELAY. Throws server_failed, which names the server, or
// `interrupted` if a signal came and `stop` is true.
descriptor connect_to(const std::string& name, const address& where,
                      std::chrono::nanoseconds patience, const std::atomic<bool>& stop);

// Starts a non-blocking connect() with TCP_NODELAY. Until the connection is established, send()
// fails with EAGAIN. Throws like connect_to().
descriptor begin_connecting(const std::string& name, const address& where);

// The bytes that the server puts before the bytes it received, such as "GOT:". Uses a connection of
// its own. Throws server_failed if the server does not answer, and wrong_reply if it does not echo.
std::string detect_prefix(const std::string& name, const address& where,
                          std::chrono::nanoseconds patience, const std::atomic<bool>& stop);

}  // namespace bench
