// trust: facts that a sceptic asks for before the numbers, and where the numbers come from.
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

// The facts of "Can I trust this?": noise, margin, smallest visible difference, pinning, payload.
std::vector<fact> trust_facts(const run_header& header, const results& found);

// The machine, build, seed and command, which are needed to repeat the run.
std::vector<fact> environment_facts(const run_header& header);

// The verdict in one word, such as "lower" or "inconclusive".
std::string_view word_of(finding what);

// KiB per connection, or why there is no number.
std::string memory_text(const memory_row& row);

// Such as "fibers/epoll against asio-callback/epoll".
std::string pair_title(const comparison& pair);

}  // namespace bench
