// thread_transport: the transport between processes of a load, where threads stand for them.
//
//     const auto texts = as_ranks(4, [](bench::transport& all) {
//       return all.broadcast(all.rank() == 0 ? "hello" : "");
//     });                                     // what each rank returned
//
// A rank that throws would leave the others waiting, so the work of a rank must not throw.
#pragma once

#include <barrier>
#include <bench/hosts/ranks/transport.hpp>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

// What the threads of one load share.
struct shared_by_ranks {
  explicit shared_by_ranks(int ranks)
      : meeting{ranks}, texts(static_cast<std::size_t>(ranks)), counters(texts.size()) {}

  std::barrier<> meeting;
  std::vector<std::string> texts;
  std::vector<std::vector<std::uint64_t>> counters;
};

class thread_transport : public bench::transport {
 public:
  thread_transport(shared_by_ranks& shared, int rank) : shared_{shared}, rank_{rank} {}

  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(shared_.texts.size()); }
  void barrier() override { shared_.meeting.arrive_and_wait(); }

  std::string broadcast(const std::string& text) override {
    if (rank_ == 0) shared_.texts[0] = text;
    shared_.meeting.arrive_and_wait();
    auto copy = shared_.texts[0];
    shared_.meeting.arrive_and_wait();
    return copy;
  }

  std::vector<std::uint64_t> reduce(const std::vector<std::uint64_t>& counters) override {
    std::vector<std::uint64_t> sums;
    shared_.counters[own()] = counters;
    shared_.meeting.arrive_and_wait();
    if (rank_ == 0) {
      sums.resize(counters.size());
      for (const auto& each : shared_.counters)
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += each.at(i);
    }
    shared_.meeting.arrive_and_wait();
    return sums;
  }

  std::vector<std::string> gather(const std::string& text, std::chrono::milliseconds) override {
    shared_.texts[own()] = text;
    shared_.meeting.arrive_and_wait();
    auto all = rank_ == 0 ? shared_.texts : std::vector<std::string>{};
    shared_.meeting.arrive_and_wait();
    return all;
  }

 private:
  std::size_t own() const { return static_cast<std::size_t>(rank_); }

  shared_by_ranks& shared_;
  int rank_;
};

// Does the work on each of so many ranks, and returns the results by rank. `Transport` is
// constructed as a thread_transport is.
template <class Transport = thread_transport, class Work>
auto as_ranks(int ranks, Work work) {
  shared_by_ranks shared{ranks};
  std::vector<decltype(work(std::declval<bench::transport&>()))> results(
      static_cast<std::size_t>(ranks));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank)
    threads.emplace_back([&, rank] {
      Transport all{shared, rank};
      results[static_cast<std::size_t>(rank)] = work(all);
    });
  for (auto& each : threads) each.join();
  return results;
}
