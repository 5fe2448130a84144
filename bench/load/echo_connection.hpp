// echo_connection: connects to a server and finds out how it answers.
//
//     auto prefix = detect_prefix("fibers/epoll", address, 5s, stop);   // "GOT:"
#pragma once

#include <atomic>
#include <bench/load/address.hpp>
#include <bench/load/secure/client_socket.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace bench {

// Opens a non-blocking connection with TCP_NODELAY, and waits until it is established. Where TLS is
// wanted, its handshake begins with the first send(). `source`: the address of this host that it
// comes from, with a port that the kernel chooses; null: the kernel chooses both. Throws
// server_failed, which names the server, or `interrupted` within 0.1 s after `stop` has become
// true.
client_socket connect_to(const std::string& name, const address& where,
                         std::chrono::nanoseconds patience, const std::atomic<bool>& stop,
                         const address* source = nullptr);

// Starts a non-blocking connect() with TCP_NODELAY. Until the connection is established, send()
// fails with EAGAIN. Throws like connect_to().
client_socket begin_connecting(const std::string& name, const address& where,
                               const address* source = nullptr);

// Sends `request`, which fits into an empty socket, over a connection of its own, and returns what
// came until `is_complete` says that this is all. Throws server_failed if the server does not
// answer, and wrong_reply "... does not WHAT ..." if it falls silent or answers without an end.
std::string ask_once(const std::string& name, const address& where,
                     std::chrono::nanoseconds patience, const std::atomic<bool>& stop,
                     std::string_view request, std::string_view what,
                     const std::function<bool(std::string_view reply)>& is_complete);

// The bytes that the server puts before the bytes it received, such as "GOT:". Uses a connection of
// its own. Throws server_failed if the server does not answer, and wrong_reply if it does not echo.
std::string detect_prefix(const std::string& name, const address& where,
                          std::chrono::nanoseconds patience, const std::atomic<bool>& stop);

}  // namespace bench
