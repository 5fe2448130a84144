// structures: what servers of the service `fields` read, and what they answer.
//
// A structure on the wire is 64 bytes, and its fields follow each other without gaps,
// little-endian:
//
//     kind     1 byte        time    8 bytes
//     flags    1 byte        value   8 bytes, a double
//     port     2 bytes       name    1 byte for its length, then so many bytes
//     id       4 bytes       note    the same; name and note together have 38 bytes
//
// Ten reads, if each is made when its turn comes. After each 64 structures a server answers with
// their digest, 8 bytes, little-endian. So it must have read every byte, and in the right order.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace bench {

// At most 255 bytes; only `length` of them mean something.
struct short_text {
  std::uint8_t length = 0;
  std::array<char, 255> bytes;

  std::string_view view() const { return {bytes.data(), length}; }
};

struct structure {
  std::uint8_t kind, flags;
  std::uint16_t port;
  std::uint32_t id;
  std::uint64_t time;
  double value;
  short_text name, note;
};

inline constexpr std::size_t structure_bytes = 64;
inline constexpr std::size_t texts_bytes = 38;  // of name and note together
inline constexpr std::size_t structures_per_answer = 64;

static_assert(std::endian::native == std::endian::little, "fields are copied as they lie");

constexpr std::uint64_t mixed(std::uint64_t digest, std::uint64_t value) {
  digest = (digest ^ value) * 0x9e3779b97f4a7c15;
  return digest ^ (digest >> 32);
}

inline std::uint64_t mixed(std::uint64_t digest, std::string_view text) {
  digest = mixed(digest, text.size());
  for (; text.size() >= 8; text.remove_prefix(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), 8);
    digest = mixed(digest, word);
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, text.data(), text.size());
  return mixed(digest, rest);
}

inline std::uint64_t digest_of(const structure& each) {
  auto digest = mixed(0, std::uint64_t{each.id} << 32 | std::uint64_t{each.port} << 16 |
                             std::uint64_t{each.flags} << 8 | each.kind);
  digest = mixed(digest, each.time);
  digest = mixed(digest, std::bit_cast<std::uint64_t>(each.value));
  return mixed(mixed(digest, each.name.view()), each.note.view());
}

// What a server answers, and when.
class digests {
 public:
  // nullopt: it is not yet time.
  std::optional<std::array<char, 8>> after(const structure& read) {
    // So that two structures in the wrong order have another sum.
    sum_ += std::rotl(digest_of(read), static_cast<int>(count_));
    if (++count_ < structures_per_answer) return std::nullopt;
    count_ = 0;
    return std::bit_cast<std::array<char, 8>>(std::exchange(sum_, 0));
  }

 private:
  std::uint64_t sum_ = 0;
  std::size_t count_ = 0;
};

}  // namespace bench
