// hdr encoding: a histogram as one word that every HdrHistogram reads.
//
//     const auto text = hdr_encoded(latency);    // "HISTFAAAA..."
//     const histogram same = hdr_decoded(text);
//
// Their V2 encoding: the counts as ZigZag LEB128, a run of zeros as one number below zero,
// compressed with zlib, in base64.
#pragma once

#include <bench/statistics/histogram.hpp>
#include <string>
#include <string_view>

namespace bench {

std::string hdr_encoded(const histogram& times);

// Reads what hdr_encoded() wrote. Throws std::invalid_argument whose text says what it is instead.
histogram hdr_decoded(std::string_view text);

}  // namespace bench
