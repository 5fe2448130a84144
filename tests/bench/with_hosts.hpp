// with_hosts: the same run as if its load had come from several hosts.
//
//     auto record = with_hosts(synthetic_run());
//     for_each_share(record, "b", [](auto& share) { share.p50_us *= 2; });
#pragma once

#include <bench/record/record.hpp>
#include <string>
#include <vector>

// Six generators on three hosts, which are all alike: "a" has two, "b" three and "c" one.
inline bench::run_record with_hosts(bench::run_record record) {
  record.header.hosts = {{"a", 2, "6.1.0-a", "Imaginary CPU 3000", 8},
                         {"b", 3, "6.1.0-b", "Imaginary CPU 3000", 8},
                         {"c", 1, "6.1.0-c", "Imaginary CPU 2000", 4}};
  int number = 0;
  for (auto& block : record.blocks)
    for (auto& timed : block.slices) {
      std::int64_t rest = timed.messages;
      auto& shares = timed.hosts.emplace();
      for (const auto& host : *record.header.hosts) {
        const double swing = 1 + 0.01 * (++number % 3);
        const bool last = host.name == record.header.hosts->back().name;
        const auto messages = last ? rest : timed.messages * host.generators / 6;
        rest -= messages;
        shares.push_back({.host = host.name,
                          .messages = messages,
                          .p50_us = swing * timed.p50_us,
                          .p99_us = swing * timed.p99_us,
                          .late_p99_us = timed.open_loop ? timed.open_loop->late_p99_us : 0,
                          .client_utilisation = timed.client_utilisation,
                          .start_skew_us = 100 * swing,
                          .retransmits = number % 2});
      }
    }
  return record;
}

template <class Change>
void for_each_share(bench::run_record& record, const std::string& host, Change change) {
  for (auto& block : record.blocks)
    for (auto& timed : block.slices)
      for (auto& share : *timed.hosts)
        if (share.host == host) change(share);
}

// As of a host that was left out: no slice has a share of it.
inline void leave_out(bench::run_record& record, const std::string& host) {
  for (auto& block : record.blocks)
    for (auto& timed : block.slices)
      std::erase_if(*timed.hosts, [&](const auto& share) { return share.host == host; });
}
