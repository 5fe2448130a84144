#include <bench/load/conversation/fields.hpp>

#include <algorithm>
#include <bench/contract/structures.hpp>
#include <bit>
#include <cstring>
#include <random>

namespace bench {
namespace {

constexpr std::size_t id_at = 4, time_at = 8;  // in a structure
constexpr std::size_t texts_at = 24;
static_assert(structure_bytes == texts_at + 2 + texts_bytes);
static_assert(structure_bytes * structures_per_answer == request_bytes(service::fields));

// Any bytes are a structure, but for the lengths of its texts.
void write_structure(char* target, std::mt19937_64& random) {
  for (std::size_t at = 0; at < structure_bytes; at += 8) {
    const auto word = random();
    std::memcpy(target + at, &word, 8);
  }
  const auto first = random() % (texts_bytes + 1);
  target[texts_at] = static_cast<char>(first);
  target[texts_at + 1 + first] = static_cast<char>(texts_bytes - first);
}

short_text read_text(const char* at) {
  short_text text;
  text.length = static_cast<std::uint8_t>(*at);
  std::memcpy(text.bytes.data(), at + 1, text.length);
  return text;
}

structure read_structure(const char* from) {
  structure read;
  std::memcpy(&read.kind, from, 1);
  std::memcpy(&read.flags, from + 1, 1);
  std::memcpy(&read.port, from + 2, 2);
  std::memcpy(&read.id, from + id_at, 4);
  std::memcpy(&read.time, from + time_at, 8);
  std::memcpy(&read.value, from + 16, 8);
  read.name = read_text(from + texts_at);
  read.note = read_text(from + texts_at + 1 + read.name.length);
  return read;
}

void name_message(char* first_structure, std::uint32_t connection, std::uint64_t sequence) {
  std::memcpy(first_structure + id_at, &connection, 4);
  std::memcpy(first_structure + time_at, &sequence, 8);
}

}  // namespace

fields_conversation::fields_conversation(std::uint64_t seed)
    : conversation{structure_bytes * structures_per_answer} {
  std::mt19937_64 random{seed};
  for (auto& each : samples_) {
    each.bytes.resize(message_bytes());
    for (std::size_t i = 0; i < structures_per_answer; ++i) {
      auto* const at = each.bytes.data() + i * structure_bytes;
      write_structure(at, random);
      if (i > 0)
        each.digest_of_rest += std::rotl(digest_of(read_structure(at)), static_cast<int>(i));
    }
  }
}

const fields_conversation::sample& fields_conversation::sample_for(std::uint32_t connection,
                                                                   std::uint64_t sequence) const {
  return samples_[(sequence + connection) % samples_.size()];
}

void fields_conversation::write(char* target, std::uint32_t connection,
                                std::uint64_t sequence) const {
  std::memcpy(target, sample_for(connection, sequence).bytes.data(), message_bytes());
  name_message(target, connection, sequence);
}

std::array<char, 8> fields_conversation::answer_to(std::uint32_t connection,
                                                   std::uint64_t sequence) const {
  const auto& message = sample_for(connection, sequence);
  std::array<char, structure_bytes> first;
  std::memcpy(first.data(), message.bytes.data(), first.size());
  name_message(first.data(), connection, sequence);
  return std::bit_cast<std::array<char, 8>>(message.digest_of_rest +
                                            digest_of(read_structure(first.data())));
}

int fields_conversation::check(reply_position& at, std::uint32_t connection,
                               std::string_view arrived) {
  const auto first = at.sequence;
  at.bytes_checked += arrived.size();
  while (!arrived.empty()) {
    const auto answer = answer_to(connection, at.sequence);
    for (; at.message_at < answer.size() && !arrived.empty(); arrived.remove_prefix(1)) {
      if (arrived.front() != answer[at.message_at])
        throw_wrong_byte(at, connection, "digest", at.message_at, answer[at.message_at],
                         arrived.front());
      ++at.message_at;
    }
    if (at.message_at < answer.size()) break;
    at.message_at = 0;
    ++at.sequence;
  }
  return static_cast<int>(at.sequence - first);
}

}  // namespace bench
