// hdr_encoding: a histogram as one word that every HdrHistogram implementation reads.
//
//     const auto text = hdr_encoded(latency);    // "HISTFAAAA..."
//     const histogram same = hdr_decoded(text);
//
// HdrHistogram's V2 encoding: counts as ZigZag LEB128, a run of n zeros as the number -n, then
// zlib, then base64.
#pragma once

#include <bench/statistics/histogram.hpp>
#include <string>
#include <string_view>

namespace bench {

std::string hdr_encoded(const histogram& times);

// Reads what hdr_encoded() wrote. Throws std::invalid_argument, which says what is wrong with
// `text`.
histogram hdr_decoded(std::string_view text);

}  // namespace bench
