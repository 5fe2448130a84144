// many_servers: a run of ten rounds in which each of these was compared with asio-callback/epoll,
// on c64/512 and c64/512/r50%.
//
//     auto record = many_servers({"fibers/epoll", "go/epoll"});
#pragma once

#include <algorithm>
#include <bench/record/record.hpp>
#include <map>
#include <string>
#include <vector>

#include <tests/bench/synthetic_run.hpp>

// Each costs twice as much per message as the one before it. asyncio/epoll does 20,000 messages per
// second and all others 60,000 or more.
inline bench::run_record many_servers(const std::vector<std::string>& contenders) {
  const std::string base = "asio-callback/epoll";
  auto record = synthetic_run({.rounds = 10, .select_too = false});
  const auto usual = record.blocks;
  record.blocks.clear();
  record.header.servers = {{base, base + " {port}"}};
  record.header.comparisons.clear();
  record.header.scenarios = {bench::scenario::parse("c64/512"),
                             bench::scenario::parse("c64/512/r50%")};
  record.kernel.clear();
  std::erase_if(record.memory, [&](const auto& sample) { return sample.server != base; });
  double factor = 1;
  for (const auto& name : contenders) {
    factor *= 2;
    const bench::comparison pair{base, name, {}};
    record.header.comparisons.push_back(pair);
    record.header.servers.push_back({name, name + " {port}"});
    for (const int connections : {16, 256})
      record.memory.push_back({name, connections, 3000 + 3.0 * connections});
    for (auto block : usual) {
      if (block.control || block.scenario.connections != 64) continue;
      block.comparison = pair;
      std::erase_if(block.slices, [](const auto& timed) { return timed.launch == 2; });
      for (auto& timed : block.slices) {
        if (timed.launch == 1) timed.server = name;
        if (timed.launch == 1) *timed.cpu_ns *= factor;
        if (timed.open_loop)
          timed.open_loop->rate_per_second = name == "asyncio/epoll" ? 10'000 : 30'000;
      }
      record.blocks.push_back(block);
    }
  }
  for (const auto& block : usual)
    if (block.control) record.blocks.push_back(block);
  return record;
}
