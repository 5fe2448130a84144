// purpose: what the servers of fields say of themselves, and how much they buffer.
#pragma once

#include <cstddef>
#include <string_view>

namespace bench {

inline constexpr std::string_view fields_purpose =
    "It reads structures field by field, and answers 64 of them with a digest.";

// With --reads buffered.
inline constexpr std::size_t fields_buffer = 16384;

}  // namespace bench
