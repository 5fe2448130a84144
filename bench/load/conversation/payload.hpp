// payload: the conversation with an echo server.
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
#pragma once

#include <bench/load/conversation/conversation.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

class payload : public conversation {
 public:
  // `pipelined`: several messages may be outstanding on a connection, so one receive of the server
  // may begin in the middle of a message. Otherwise each message must follow a prefix.
  payload(std::size_t message_bytes, std::uint64_t seed, std::string prefix,
          bool pipelined = false);

  std::string prefix() const override { return prefix_; }

  void write(char* target, std::uint32_t connection, std::uint64_t sequence) const override;
  int check(reply_position& at, std::uint32_t connection, std::string_view arrived) override;

 private:
  std::size_t check_prefix(reply_position& at, std::uint32_t connection, std::string_view arrived);
  std::size_t check_message(reply_position& at, std::uint32_t connection, std::string_view arrived);
  bool at_prefix(const reply_position& at, std::string_view arrived) const;

  std::string prefix_;
  bool pipelined_;
  std::string alphabet_;        // 32 characters, without the first byte of the prefix
  char last_byte_;              // a newline, unless the prefix begins with one
  std::string body_;            // the body of each message is a part of it
  std::vector<char> expected_;  // the message being compared
};

// The same messages to a server that answers each with a newline and nothing else.
class acknowledged_payload : public payload {
 public:
  acknowledged_payload(std::size_t message_bytes, std::uint64_t seed)
      : payload{message_bytes, seed, "", true} {}
  int check(reply_position& at, std::uint32_t connection, std::string_view arrived) override;
};

}  // namespace bench
