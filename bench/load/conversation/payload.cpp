#include <algorithm>
#include <bench/load/conversation/payload.hpp>
#include <cstring>
#include <random>

namespace bench {
namespace {

// A power of two, small enough that the bodies stay in the cache.
constexpr std::size_t body_starts = 1 << 14;

std::string alphabet_without(std::string_view prefix) {
  std::string letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  if (!prefix.empty()) std::erase(letters, prefix.front());
  letters.resize(32);
  return letters;
}

// Consecutive messages get bodies that start far apart.
std::size_t body_start(std::uint32_t connection, std::uint64_t sequence) {
  return ((sequence + std::uint64_t{connection} * 977U) * 40503U) % body_starts;
}

[[noreturn]] void mismatch(const reply_position& at, std::uint32_t connection,
                           std::string_view what, char expected, char got) {
  throw_wrong_byte(at, connection, what, what == "prefix" ? at.prefix_at : at.message_at, expected,
                   got);
}

}  // namespace

payload::payload(std::size_t message_bytes, std::uint64_t seed, std::string prefix, bool pipelined)
    : conversation{message_bytes},
      prefix_{std::move(prefix)},
      pipelined_{pipelined},
      alphabet_{alphabet_without(prefix_)},
      last_byte_{prefix_.starts_with('\n') ? alphabet_.front() : '\n'},
      body_(body_starts + message_bytes, '\0'),
      expected_(message_bytes) {
  std::mt19937_64 random{seed};
  for (auto& byte : body_) byte = alphabet_[random() >> 59];
}

void payload::write(char* target, std::uint32_t connection, std::uint64_t sequence) const {
  write_stamp(target, connection, sequence, alphabet_);
  if (message_bytes() == stamp_bytes) return;
  std::memcpy(target + stamp_bytes, body_.data() + body_start(connection, sequence),
              message_bytes() - stamp_bytes);
  target[message_bytes() - 1] = last_byte_;
}

int payload::check(reply_position& at, std::uint32_t connection, std::string_view arrived) {
  const auto first = at.sequence;
  while (!arrived.empty()) {
    const auto taken = at_prefix(at, arrived) ? check_prefix(at, connection, arrived)
                                              : check_message(at, connection, arrived);
    at.bytes_checked += taken;
    arrived.remove_prefix(taken);
  }
  return static_cast<int>(at.sequence - first);
}

int acknowledged_payload::check(reply_position& at, std::uint32_t connection,
                                std::string_view arrived) {
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
  auto length = std::min(message_bytes() - at.message_at, arrived.size());
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
  if (at.message_at == message_bytes()) {
    at.message_at = 0;
    ++at.sequence;
  }
  return length;
}

}  // namespace bench
