#include <bench/load/conversation/conversation.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/load/conversation/fields.hpp>
#include <bench/load/conversation/http.hpp>
#include <bench/load/conversation/payload.hpp>
#include <bench/load/echo_connection.hpp>
#include <bench/text/failure.hpp>

namespace bench {
namespace {

constexpr std::size_t connection_digits = 6;

void write_digits(char* target, std::size_t digits, std::uint64_t number,
                  std::string_view alphabet) {
  for (auto i = digits; i-- > 0; number >>= 4) target[i] = alphabet[number & 15];
}

std::string readable(char byte) {
  const auto code = static_cast<unsigned char>(byte);
  return code >= 32 && code < 127 ? fmt::format("'{}'", byte) : fmt::format("0x{:02x}", code);
}

}  // namespace

std::string_view conversation::write_all(std::vector<char>& buffer, std::uint32_t connection,
                                         std::uint64_t first_sequence,
                                         std::uint64_t messages) const {
  const auto written = std::min<std::uint64_t>(messages, buffer.size() / message_bytes_);
  char* end = buffer.data();
  for (std::uint64_t i = 0; i < written; ++i, end += message_bytes_)
    write(end, connection, first_sequence + i);
  return {buffer.data(), static_cast<std::size_t>(end - buffer.data())};
}

std::unique_ptr<conversation> begin_conversation(const scenario& load, std::uint64_t seed,
                                                 const std::string& server, const address& where,
                                                 std::chrono::nanoseconds patience,
                                                 const std::atomic<bool>& stop) {
  const auto bytes = static_cast<std::size_t>(load.message_bytes);
  if (is_http(load.asks))
    return std::make_unique<http_conversation>(
        load.asks, first_http_reply(load.asks, server, where, patience, stop));
  if (load.asks == service::fields) return std::make_unique<fields_conversation>(seed);
  if (load.one_way) return std::make_unique<acknowledged_payload>(bytes, seed);
  return std::make_unique<payload>(bytes, seed, detect_prefix(server, where, patience, stop),
                                   load.depth > 1);
}

void throw_wrong_byte(const reply_position& at, std::uint32_t connection, std::string_view what,
                      std::size_t byte, char expected, char got) {
  throw wrong_reply(
      fmt::format("wrong reply on connection {}, message {}, {} byte {}: {} instead "
                  "of {}",
                  connection, at.sequence, what, byte, readable(got), readable(expected)));
}

void write_stamp(char* target, std::uint32_t connection, std::uint64_t sequence,
                 std::string_view alphabet) {
  write_digits(target, connection_digits, connection, alphabet);
  write_digits(target + connection_digits, stamp_bytes - connection_digits, sequence, alphabet);
}

}  // namespace bench
