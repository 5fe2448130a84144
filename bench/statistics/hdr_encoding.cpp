#include <zlib.h>

#include <algorithm>
#include <bench/statistics/hdr_encoding.hpp>
#include <bit>
#include <cstdint>
#include <stdexcept>

namespace bench {
namespace {

constexpr std::uint32_t plain_cookie = 0x1c849303 | 0x10;  // 0x10: counts are varints
constexpr std::uint32_t compressed_cookie = 0x1c849304 | 0x10;
constexpr std::size_t plain_header_bytes = 40;
constexpr std::uint32_t significant_digits = 2;
constexpr std::size_t longest_number = 9;
constexpr std::string_view base64_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

[[noreturn]] void refuse(const char* why) {
  throw std::invalid_argument{why};
}

// --- bytes

template <class T>
void put(std::string& out, T value) {  // big-endian
  for (int shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8)
    out += static_cast<char>(value >> shift);
}

template <class T>
T take(std::string_view& in) {
  if (in.size() < sizeof(T)) refuse("it ends too early");
  T value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i)
    value = static_cast<T>(value << 8 | static_cast<unsigned char>(in[i]));
  in.remove_prefix(sizeof value);
  return value;
}

// ZigZag LEB128 as in HdrHistogram: seven bits per byte, least significant first; a ninth byte has
// eight.
void put_zigzag(std::string& out, std::int64_t value) {
  auto rest = static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
  for (std::size_t i = 1; rest >= 0x80 && i < longest_number; ++i, rest >>= 7)
    out += static_cast<char>(rest | 0x80);
  out += static_cast<char>(rest);
}

std::int64_t take_zigzag(std::string_view& in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < longest_number; ++i) {
    const auto byte = std::uint64_t{take<unsigned char>(in)};
    const bool last = byte < 0x80 || i + 1 == longest_number;
    value |= (byte & (last ? 0xff : 0x7f)) << (7 * i);
    if (last) break;
  }
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// --- base64

std::string base64(std::string_view bytes) {
  std::string text;
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(bytes.size(), 3))) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      text += i <= bytes.size() ? base64_letters[group >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

std::string from_base64(std::string_view text) {
  if (text.size() % 4 != 0) refuse("its length is not that of base64");
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char letter : text) {
    const auto value = base64_letters.find(letter);
    if (value == std::string_view::npos) refuse("it is not base64");
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count);
  }
  return bytes;
}

// --- compression

std::string compressed(const std::string& plain) {
  auto length = compressBound(plain.size());
  std::string packed(length, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &length,
           reinterpret_cast<const Bytef*>(plain.data()), plain.size());
  packed.resize(length);
  return packed;
}

std::string decompressed(std::string_view packed) {
  std::string plain(plain_header_bytes + longest_number * histogram::buckets, '\0');
  uLongf length = plain.size();
  if (uncompress(reinterpret_cast<Bytef*>(plain.data()), &length,
                 reinterpret_cast<const Bytef*>(packed.data()), packed.size()) != Z_OK)
    refuse("what it holds cannot be decompressed");
  plain.resize(length);
  return plain;
}

// --- counts

std::string packed_counts(const histogram& times) {
  std::string packed;
  std::int64_t zeros = 0;
  for (const auto count : times.counts()) {
    if (count == 0) {
      ++zeros;
      continue;
    }
    if (zeros > 0) put_zigzag(packed, zeros == 1 ? 0 : -zeros);
    zeros = 0;
    put_zigzag(packed, static_cast<std::int64_t>(count));
  }
  return packed;
}

// The total of the counts is a signed number in HdrHistogram.
histogram unpacked_counts(std::string_view packed) {
  histogram times;
  std::int64_t total = 0;
  std::size_t bucket = 0;
  while (!packed.empty()) {
    const auto number = take_zigzag(packed);
    const auto left = static_cast<std::int64_t>(histogram::buckets - bucket);
    if (number < -left || left == 0) refuse("it has more counts than buckets");
    if (number > 0 && __builtin_add_overflow(total, number, &total))
      refuse("it counts more than can be counted");
    if (number > 0) times.add(bucket, static_cast<std::uint64_t>(number));
    bucket += number < 0 ? static_cast<std::size_t>(-number) : 1;
  }
  return times;
}

}  // namespace

std::string hdr_encoded(const histogram& times) {
  const auto counts = packed_counts(times);
  std::string plain;
  put(plain, plain_cookie);
  put(plain, static_cast<std::uint32_t>(counts.size()));
  put(plain, std::uint32_t{0});  // normalizing index offset
  put(plain, significant_digits);
  put(plain, std::uint64_t{1});  // lowest discernible value
  put(plain, histogram::highest);
  put(plain, std::bit_cast<std::uint64_t>(1.0));  // integer-to-double conversion ratio
  const auto packed = compressed(plain + counts);
  std::string bytes;
  put(bytes, compressed_cookie);
  put(bytes, static_cast<std::uint32_t>(packed.size()));
  return base64(bytes + packed);
}

histogram hdr_decoded(std::string_view text) {
  const auto bytes = from_base64(text);
  std::string_view outer{bytes};
  if (take<std::uint32_t>(outer) != compressed_cookie) refuse("it is not in the V2 encoding");
  if (take<std::uint32_t>(outer) != outer.size()) refuse("its length is not as it says");
  const auto plain = decompressed(outer);
  std::string_view inner{plain};
  if (take<std::uint32_t>(inner) != plain_cookie) refuse("it holds another encoding than V2");
  const auto length = take<std::uint32_t>(inner);
  const bool same_layout =  // NOLINTNEXTLINE(misc-redundant-expression): each take() takes the next
      take<std::uint32_t>(inner) == 0 && take<std::uint32_t>(inner) == significant_digits &&
      take<std::uint64_t>(inner) == 1 && take<std::uint64_t>(inner) == histogram::highest;
  if (!same_layout) refuse("its buckets are not those used here");
  take<std::uint64_t>(inner);
  if (length != inner.size()) refuse("its counts are not as many as it says");
  return unpacked_counts(inner);
}

}  // namespace bench
