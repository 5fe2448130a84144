// payload: composes messages and checks replies byte by byte.
//
//     payload expected{64, seed, "GOT:"};
//     expected.write(target, 3, 7);                  // message 7 of connection 3, 64 bytes
//     reply_position at;
//     int complete = expected.check(at, 3, "GOT:..."sv);  // throws wrong_reply
//
// A message begins with 16 characters that encode its connection and its sequence number. A seeded
// random body follows, then a newline, so that servers which read lines can be measured too. A
// reply is the message with the prefix inserted wherever one of the server's receives began, and
// may arrive in pieces of any size. No message contains the first byte of the prefix, so the
// position of each prefix is certain.
//
// A server that acknowledges answers each message with a newline and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// The position of a connection in its stream of replies.
struct reply_position {
  std::uint64_t sequence = 0;  // of the message being received
  std::size_t message_at = 0;  // bytes of that message checked so far
  // Bytes of the current prefix checked so far; 0: the last byte was of a message.
  std::size_t prefix_at = 0;
  std::uint64_t bytes_checked = 0;
};

class payload {
 public:
  // `pipelined`: several messages may be outstanding on a connection, so one receive of the server
  // may begin in the middle of a message. Otherwise each message must follow a prefix.
  payload(std::size_t message_bytes, std::uint64_t seed, std::string prefix,
          bool pipelined = false);
  static payload acknowledged(std::size_t message_bytes, std::uint64_t seed);

  std::size_t message_bytes() const { return message_bytes_; }
  const std::string& prefix() const { return prefix_; }

  // `target` has room for message_bytes().
  void write(char* target, std::uint32_t connection, std::uint64_t sequence) const;

  // Writes as many of these messages as `buffer` has room for, at least one: its size is at least
  // message_bytes(). Returns what was written.
  std::string_view write_all(std::vector<char>& buffer, std::uint32_t connection,
                             std::uint64_t first_sequence, std::uint64_t messages) const;

  // Compares every byte of `arrived`. Returns how many messages became complete. Throws
  // wrong_reply.
  int check(reply_position& at, std::uint32_t connection, std::string_view arrived);

 private:
  int check_acknowledgements(reply_position& at, std::uint32_t connection,
                             std::string_view arrived) const;
  std::size_t check_prefix(reply_position& at, std::uint32_t connection, std::string_view arrived);
  std::size_t check_message(reply_position& at, std::uint32_t connection, std::string_view arrived);
  bool at_prefix(const reply_position& at, std::string_view arrived) const;

  std::size_t message_bytes_;
  std::string prefix_;
  bool pipelined_;
  bool acknowledged_ = false;
  std::string alphabet_;        // 32 characters, without the first byte of the prefix
  char last_byte_;              // a newline, unless the prefix begins with one
  std::string body_;            // the body of each message is a part of it
  std::vector<char> expected_;  // the message being compared
};

}  // namespace bench
