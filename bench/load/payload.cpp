#include <fmt/format.h>

#include <algorithm>
#include <bench/load/payload.hpp>
#include <bench/text/failure.hpp>
#include <cstring>
#include <random>

namespace bench {
namespace {

constexpr std::size_t header_bytes = 16;
constexpr std::size_t connection_digits = 6;
// A power of two, small enough that the bodies stay in the cache.
constexpr std::size_t body_starts = 1 << 14;

std::string alphabet_without(std::string_view prefix) {
  std::string letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  if (!prefix.empty()) std::erase(letters, prefix.front());
  letters.resize(32);
  return letters;
}

void write_digits(char* target, std::size_t digits, std::uint64_t number,
                  const std::string& alphabet) {
  for (auto i = digits; i-- > 0; number >>= 4) target[i] = alphabet[number & 15];
}

// Consecutive messages get bodies that start far apart.
std::size_t body_start(std::uint32_t connection, std::uint64_t sequence) {
  return ((sequence + std::uint64_t{connection} * 977U) * 40503U) % body_starts;
}

std::string readable(char byte) {
  const auto code = static_cast<unsigned char>(byte);
  return code >= 32 && code < 127 ? fmt::format("'{}'", byte) : fmt::format("0x{:02x}", code);
}

[[noreturn]] void mismatch(const reply_position& at, std::uint32_t connection,
                           std::string_view what, char expected, char got) {
  throw wrong_reply(
      fmt::format("wrong reply on connection {}, message {}, {} byte {}: {} instead of {}",
                  connection, at.sequence, what, what == "prefix" ? at.prefix_at : at.message_at,
                  readable(got), readable(expected)));
}

}  // namespace

payload::payload(std::size_t message_bytes, std::uint64_t seed, std::string prefix, bool pipelined)
    : message_bytes_{message_bytes},
      prefix_{std::move(prefix)},
      pipelined_{pipelined},
      alphabet_{alphabet_without(prefix_)},
      last_byte_{prefix_.starts_with('\n') ? alphabet_.front() : '\n'},
      body_(body_starts + message_bytes, '\0'),
      expected_(message_bytes) {
  std::mt19937_64 random{seed};
  for (auto& byte : body_) byte = alphabet_[random() >> 59];
}

payload payload::acknowledged(std::size_t message_bytes, std::uint64_t seed) {
  payload all{message_bytes, seed, "", true};
  all.acknowledged_ = true;
  return all;
}

void payload::write(char* target, std::uint32_t connection, std::uint64_t sequence) const {
  write_digits(target, connection_digits, connection, alphabet_);
  write_digits(target + connection_digits, header_bytes - connection_digits, sequence, alphabet_);
  if (message_bytes_ == header_bytes) return;
  std::memcpy(target + header_bytes, body_.data() + body_start(connection, sequence),
              message_bytes_ - header_bytes);
  target[message_bytes_ - 1] = last_byte_;
}

std::string_view payload::write_all(std::vector<char>& buffer, std::uint32_t connection,
                                    std::uint64_t first_sequence, std::uint64_t messages) const {
  const auto written = std::min<std::uint64_t>(messages, buffer.size() / message_bytes_);
  char* end = buffer.data();
  for (std::uint64_t i = 0; i < written; ++i, end += message_bytes_)
    write(end, connection, first_sequence + i);
  return {buffer.data(), static_cast<std::size_t>(end - buffer.data())};
}

int payload::check(reply_position& at, std::uint32_t connection, std::string_view arrived) {
  if (acknowledged_) return check_acknowledgements(at, connection, arrived);
  const auto first = at.sequence;
  while (!arrived.empty()) {
    const auto taken = at_prefix(at, arrived) ? check_prefix(at, connection, arrived)
                                              : check_message(at, connection, arrived);
    at.bytes_checked += taken;
    arrived.remove_prefix(taken);
  }
  return static_cast<int>(at.sequence - first);
}

int payload::check_acknowledgements(reply_position& at, std::uint32_t connection,
                                    std::string_view arrived) const {
  for (const char each : arrived) {
    if (each != '\n') mismatch(at, connection, "acknowledgement", '\n', each);
    ++at.sequence;
  }
  at.bytes_checked += arrived.size();
  return static_cast<int>(arrived.size());
}

bool payload::at_prefix(const reply_position& at, std::string_view arrived) const {
  if (prefix_.empty() || at.prefix_at == prefix_.size()) return false;
  const bool owed = at.message_at == 0 && (!pipelined_ || at.sequence == 0);
  return at.prefix_at > 0 || owed || arrived.front() == prefix_.front();
}

std::size_t payload::check_prefix(reply_position& at, std::uint32_t connection,
                                  std::string_view arrived) {
  const auto length = std::min(prefix_.size() - at.prefix_at, arrived.size());
  for (std::size_t i = 0; i < length; ++i, ++at.prefix_at) {
    const auto expected = prefix_[at.prefix_at];
    if (arrived[i] != expected) mismatch(at, connection, "prefix", expected, arrived[i]);
  }
  return length;
}

std::size_t payload::check_message(reply_position& at, std::uint32_t connection,
                                   std::string_view arrived) {
  write(expected_.data(), connection, at.sequence);
  const char* expected = expected_.data() + at.message_at;
  auto length = std::min(message_bytes_ - at.message_at, arrived.size());
  // at_prefix() has excluded that the first byte begins a prefix, so it belongs to the message.
  // From the second byte on, a prefix may begin.
  if (!prefix_.empty()) length = std::min(length, arrived.find(prefix_.front(), 1));
  if (std::memcmp(expected, arrived.data(), length) != 0) {
    const auto other = std::mismatch(expected, expected + length, arrived.data());
    at.message_at += static_cast<std::size_t>(other.first - expected);
    mismatch(at, connection, "message", *other.first, *other.second);
  }
  at.prefix_at = 0;
  at.message_at += length;
  if (at.message_at == message_bytes_) {
    at.message_at = 0;
    ++at.sequence;
  }
  return length;
}

}  // namespace bench
