// scenario: what load a server is put under. Its text is its name:
//
//     c64/512            64 connections, messages of 512 bytes, the next one when the reply came
//     c16/16K/d16        sixteen messages of 16 KiB outstanding on each connection
//     c64/64+10000idle   10,000 more connections, each of which echoes once and then stays silent
//     c64/512/r20k       open loop: 20,000 messages a second, whether or not the server keeps up
//     c64/512/r50%       open loop: half of what the slower server of the block can do
//     c16/64/churn       a connection for each message: connect, one message, close
#pragma once

#include <string>
#include <string_view>

namespace bench {

inline constexpr int max_connections = 100'000;
inline constexpr int min_message_bytes = 16;  // a message begins with 16 characters that name it
inline constexpr int max_message_bytes = 1024 * 1024;
inline constexpr int max_depth = 1024;

struct scenario {
  int connections = 1;
  int message_bytes = 64;
  int depth = 1;
  int idle_connections = 0;
  int rate_per_second = 0;  // open loop where this or the next is not 0
  int rate_percent = 0;
  bool churn = false;

  bool open_loop() const { return rate_per_second > 0 || rate_percent > 0; }
  int all_connections() const { return connections + idle_connections; }

  // d1 is the default and is left out of the text. Throws std::invalid_argument whose text says
  // what is accepted.
  static scenario parse(std::string_view text);
  std::string text() const;

  // Itself; throws like parse() where a number is out of its range.
  scenario checked() const;

  friend bool operator==(const scenario&, const scenario&) = default;
};

// It leads a report where it was measured.
inline constexpr const char* headline_scenario = "c64/512";

}  // namespace bench
