// hdr_words: counts of any form as a word in HdrHistogram's encoding. A fuzzer alone finds no input
// that zlib decompresses.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <bench/statistics/histogram.hpp>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace fuzz {

inline std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  while (bytes-- > 0) text += static_cast<char>(value >> (8 * bytes));
  return text;
}

inline std::string base64(std::string_view bytes) {
  constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const auto part = bytes.substr(at, 3);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < part.size() ? static_cast<unsigned char>(part[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      text += i <= part.size() ? letters[group >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

inline std::string compressed(const std::string& plain) {
  auto length = compressBound(plain.size());
  std::string packed(length, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &length,
            reinterpret_cast<const Bytef*>(plain.data()), plain.size(), 1);
  packed.resize(length);
  return packed;
}

inline std::string hdr_word_with(std::string_view counts) {
  const auto packed =
      compressed(big_endian(0x1c849313, 4) + big_endian(counts.size(), 4) + big_endian(0, 4) +
                 big_endian(2, 4) + big_endian(1, 8) + big_endian(bench::histogram::highest, 8) +
                 big_endian(std::bit_cast<std::uint64_t>(1.0), 8) + std::string{counts});
  return base64(big_endian(0x1c849314, 4) + big_endian(packed.size(), 4) + packed);
}

}  // namespace fuzz
