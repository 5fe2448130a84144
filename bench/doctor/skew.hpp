// skew: how evenly the connections of one client are shared out to listeners on one port.
//
//     const auto found = share_out(steering::by_hash, {2, 4});
//     found.shares[1]   // {.listeners = 4, .most = 20, .fewest = 12}
#pragma once

#include <bench/contract/steering.hpp>
#include <string>
#include <vector>

namespace bench {

inline constexpr int shared_out_connections = 64;

// What the listener with the most connections got, and the one with the fewest.
struct share {
  int listeners = 0;
  int most = 0;
  int fewest = 0;
};

struct sharing {
  std::vector<share> shares;  // one for each number of listeners
  std::string refusal;        // why there are none; empty: they are there
};

// Opens 64 connections to so many listeners of this process on 127.0.0.1, several times, and takes
// the median. Takes some 20 ms for each number, and half a second at most where nothing answers.
sharing share_out(steering how, const std::vector<int>& listener_counts);

}  // namespace bench
