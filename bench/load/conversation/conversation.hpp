// conversation: what a connection of the load generator says, and the check of what it hears.
//
//     const auto talk = begin_conversation(load, seed, "fibers/epoll", where, 5s, stop);
//     talk->write_all(buffer, 3, 7, 2);                // messages 7 and 8 of connection 3
//     talk->check(at, 3, arrived);                     // how many replies became complete
//
// A kind of it for each service, and another for servers that only acknowledge.
#pragma once

#include <atomic>
#include <bench/load/address.hpp>
#include <bench/record/scenario.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// The position of a connection in its stream of replies.
struct reply_position {
  std::uint64_t sequence = 0;  // of the message whose reply is being received
  std::size_t message_at = 0;  // bytes of that reply checked so far; of an echo without its prefix
  // Bytes of the current prefix checked so far; 0: the last byte was of a message.
  std::size_t prefix_at = 0;
  std::uint64_t bytes_checked = 0;
};

class conversation {
 public:
  explicit conversation(std::size_t message_bytes) : message_bytes_{message_bytes} {}
  conversation(const conversation&) = delete;
  conversation& operator=(const conversation&) = delete;
  virtual ~conversation() = default;

  // All messages have one size.
  std::size_t message_bytes() const { return message_bytes_; }

  // What the server puts before each echo; not every service has such a thing.
  virtual std::string prefix() const { return {}; }

  // `target` has room for message_bytes().
  virtual void write(char* target, std::uint32_t connection, std::uint64_t sequence) const = 0;

  // Writes as many of these messages as `buffer` has room for, at least one: its size is at least
  // message_bytes(). Returns what was written.
  std::string_view write_all(std::vector<char>& buffer, std::uint32_t connection,
                             std::uint64_t first_sequence, std::uint64_t messages) const;

  // Compares every byte of `arrived`. Returns how many replies became complete. Throws wrong_reply.
  virtual int check(reply_position& at, std::uint32_t connection, std::string_view arrived) = 0;

 private:
  std::size_t message_bytes_;
};

// Finds out over a connection of its own how the server replies, where that differs from server to
// server. Throws server_failed if it does not answer, and wrong_reply if it serves something else.
std::unique_ptr<conversation> begin_conversation(const scenario& load, std::uint64_t seed,
                                                 const std::string& server, const address& where,
                                                 std::chrono::nanoseconds patience,
                                                 const std::atomic<bool>& stop);

// "wrong reply on connection 3, message 7, body byte 2: 'a' instead of 'b'"
[[noreturn]] void throw_wrong_byte(const reply_position& at, std::uint32_t connection,
                                   std::string_view what, std::size_t byte, char expected,
                                   char got);

// 16 characters that name a message: its connection and its number, the first 16 of this alphabet.
inline constexpr std::size_t stamp_bytes = 16;
void write_stamp(char* target, std::uint32_t connection, std::uint64_t sequence,
                 std::string_view alphabet);

}  // namespace bench
