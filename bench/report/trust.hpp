// trust: what a sceptic asks before the first number, and where the numbers come from.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct fact {
  std::string label;
  std::string text;
};

// "Can I trust this?": noise of the machine, margin, pinning, payload.
std::vector<fact> trust_facts(const run_header& header, const results& found);

// Machine, build, seed and command, as needed to have the run again.
std::vector<fact> environment_facts(const run_header& header);

// "cheaper", "inconclusive", ...: the verdict in one word.
std::string_view word_of(finding what);

// KiB per connection, or why there is no number.
std::string memory_text(const memory_row& row);

// "fibers/epoll against asio-callback/epoll"
std::string pair_title(const comparison& pair);

}  // namespace bench
