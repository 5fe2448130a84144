// payload: what a message holds, and the proof that a reply holds exactly that.
//
//     payload expected{64, seed, "GOT:"};
//     expected.write(target, 3, 7);                  // message 7 of connection 3, 64 bytes
//     reply_position at;
//     int complete = expected.check(at, 3, "GOT:..."sv);  // throws wrong_reply
//
// A message begins with 16 characters that name its connection and its sequence number; a seeded
// body follows, and a newline, so that servers which read lines can join. A reply is the message
// with the prefix wherever one of the server's receives began, and arrives split and merged in any
// way. No message contains the prefix's first byte, so where a prefix begins is never a guess.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// How far into its replies a connection is.
struct reply_position {
  std::uint64_t sequence = 0;  // of the message being received
  std::size_t message_at = 0;  // bytes of it that were checked
  std::size_t prefix_at = 0;   // bytes of a prefix just received; 0: a message byte came last
  std::uint64_t bytes_checked = 0;
};

class payload {
 public:
  // `pipelined`: several messages may be on their way at once, so one receive of the server may
  // begin in the midst of another reply. Otherwise each message must follow a prefix.
  payload(std::size_t message_bytes, std::uint64_t seed, std::string prefix,
          bool pipelined = false);

  std::size_t message_bytes() const { return message_bytes_; }
  const std::string& prefix() const { return prefix_; }

  // target has room for message_bytes().
  void write(char* target, std::uint32_t connection, std::uint64_t sequence) const;

  // Compares the bytes that arrived next, each of them. Returns how many messages they completed.
  int check(reply_position& at, std::uint32_t connection, std::string_view arrived);

 private:
  std::size_t check_prefix(reply_position& at, std::uint32_t connection, std::string_view arrived);
  std::size_t check_message(reply_position& at, std::uint32_t connection, std::string_view arrived);
  bool at_prefix(const reply_position& at, std::string_view arrived) const;

  std::size_t message_bytes_;
  std::string prefix_;
  bool pipelined_;
  std::string alphabet_;        // 32 characters; none is the prefix's first byte
  char last_byte_;              // a newline, where no prefix begins with one
  std::string body_;            // every message's body is a stretch of it
  std::vector<char> expected_;  // the message being compared
};

}  // namespace bench
