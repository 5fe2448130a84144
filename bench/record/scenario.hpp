// scenario: the load of a server. Its text is its name:
//
//     c64/512            64 connections, 512 bytes per message, next message when the reply came
//     c16/16K/d16        16 messages of 16 KiB outstanding on each of 16 connections
//     c64/64+10000idle   10,000 further connections; each echoes once and is idle from then on
//     c64/512/r20k       open loop: 20,000 messages per second, even if the server cannot keep up
//     c64/512/r50%       open loop: half the throughput of the slower server of the block
//     c16/64/churn       a new connection per message: connect, one message, close
//     c1/64K/stream      messages follow each other: two are on their way, and more up to 64 KiB;
//                        the server receives 64 KiB at a time
//     c1/64K/oneway      the same, but the server only acknowledges each message
//     c64/plaintext      a message is an HTTP request, GET /plaintext; /d16 pipelines
//     c64/json           the same with GET /json/NAME
//     c1/fields          a stream of structures, which the server reads field by field; a message
//                        is 64 of them
//     c64/512/tls        any load that is echoed, under TLS; with /churn a handshake per message
#pragma once

#include <bench/record/service.hpp>
#include <string>
#include <string_view>

namespace bench {

inline constexpr int max_connections = 100'000;
// Each message begins with 16 characters: connection and number.
inline constexpr int min_message_bytes = 16;
inline constexpr int max_message_bytes = 1024 * 1024;
inline constexpr int max_depth = 1024;
inline constexpr int max_rate = 10'000'000;  // messages per second

struct scenario {
  int connections = 1;
  int message_bytes = 64;
  int depth = 1;
  int idle_connections = 0;
  int rate_per_second = 0;  // open loop if this or rate_percent is above 0
  int rate_percent = 0;
  bool churn = false;
  bool stream = false;           // `depth` follows from the size of the messages
  bool one_way = false;          // a stream that is not echoed
  service asks = service::echo;  // if not, `message_bytes` is the size of a request
  bool tls = false;

  bool open_loop() const { return rate_per_second > 0 || rate_percent > 0; }
  // Messages follow each other without a pause, so no rate can hold the server back.
  bool streams() const { return stream || asks == service::fields; }
  // One connection that asks for the same, one message at a time.
  scenario smallest() const;
  // The same load in a closed loop, in which no rate holds the server back.
  scenario at_full_rate() const;
  int all_connections() const { return connections + idle_connections; }

  // parse(text()) is the same scenario. d1 is the default and not written. parse() throws
  // std::invalid_argument, which says what is accepted.
  static scenario parse(std::string_view text);
  std::string text() const;

  // "64 connections × 512 B": for readers who do not know the short names.
  std::string words() const;

  // Returns *this; throws like parse() if a number is out of range.
  scenario checked() const;

  friend bool operator==(const scenario&, const scenario&) = default;
};

// Loads that differ only in their rate show a curve from so many on; the full load counts as one.
inline constexpr int fewest_for_a_curve = 3;

// The scenario that leads a report, if it was measured.
inline constexpr const char* headline_scenario = "c64/512";

}  // namespace bench
