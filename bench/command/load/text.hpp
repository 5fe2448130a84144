// text: what `echobench load` shows.
//
//     fmt::print("{}", load_text(found, style_of(stdout)));
//     tell(stderr, "\r{}\033[K", live_text(last_second, 4s, style_of(stderr)));
#pragma once

#include <bench/load/outcome.hpp>
#include <bench/text/terminal.hpp>
#include <chrono>
#include <string>

namespace bench {

// The whole result, at most 80 columns wide. Empty if nothing was measured.
std::string load_text(const load_outcome& found, const style& on);

// "171,204 messages/s   p50 55.2 us   p99 303 us   left 0:04", of what was measured lately.
std::string live_text(const load_sample& lately, std::chrono::duration<double> left,
                      const style& on);

// "84,000/s   p99 1.83 ms   holds", of one step of a search.
std::string live_text(const expectation& limit, const rate_step& step);

// What `now` measured and `before`, an earlier sample of the same run(), had not.
load_sample difference(const load_sample& now, const load_sample& before);

}  // namespace bench
