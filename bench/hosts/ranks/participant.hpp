// participant: one process of a load from many hosts. It carries out orders together with the other
// processes, and loads the servers with its share of the connections.
//
//     participant self{all, {}, stop};
//     take_part(self, all, orders);      // until orders::end; orders is null except at rank 0
//
// Rank 0 brings the orders and merges the answers. If there are other ranks, it loads nothing
// itself.
#pragma once

#include <atomic>
#include <bench/hosts/ranks/orders.hpp>
#include <bench/hosts/ranks/transport.hpp>
#include <bench/load/generator.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// How long before its timed part a load begins, and how much later it ends: longer than hosts begin
// apart from each other. So each of them measures while all others load the servers too.
inline constexpr std::chrono::milliseconds beside_a_slice{30};

// After so long without a sign of life a process counts as gone. Longer than a server may owe a
// reply, because a generator that waits for one says nothing.
inline constexpr std::chrono::milliseconds longest_silence{7000};

// A load that takes longer than this has signs of life, one per second.
inline constexpr std::chrono::seconds without_signs{2};

// When a process begins to load, by its own clock, and how far from the others at most.
struct appointment {
  std::chrono::steady_clock::time_point at;
  std::chrono::nanoseconds skew;
};

// Makes all processes begin at nearly the same time, 50 ms from now. Their clocks need not agree:
// each process counts from when it left a barrier. Everybody left that barrier before anybody left
// a second one that follows it at once. So a process that took the time t from the first to the
// second left the first at most t before any other; t is its skew. If the longest is over 2 ms, all
// try again, up to ten times.
appointment synchronise(transport& all);

class participant {
 public:
  struct settings {
    std::vector<address> sources{};  // see load_generator::set_sources()
  };

  // Once `stop` is true, every call throws `interrupted`.
  participant(transport& all, settings chosen, const std::atomic<bool>& stop);

  // Carries out one order, at the same time as the other processes. What goes wrong is in the
  // answer. `counts` receives the histograms of a load, as many numbers on each rank: see
  // counts_per_server.
  answer carry_out(const any_order& order, std::vector<std::uint64_t>& counts);

 private:
  void carry_out(const orders::introduce&, answer& said);
  void carry_out(const orders::begin& wanted, answer& said);
  void carry_out(const orders::meet& wanted, answer& said);
  void carry_out(const orders::connect& wanted, answer& said);
  void carry_out(const orders::load& wanted, answer& said);
  void carry_out(const orders::drop&, answer& said);
  void carry_out(const orders::end&, answer& said);
  std::vector<load_sample> timed(const orders::load& wanted, double share, appointment& began);
  void keep(const std::vector<load_sample>& samples, const appointment& began, answer& said);

  transport& all_;
  settings chosen_;
  const std::atomic<bool>& stop_;
  int number_;  // of this generator, from 0; -1: rank 0 beside others
  int generators_;
  scenario whole_;  // the load of all
  std::unique_ptr<load_generator> client_;
  std::vector<std::uint64_t>* counts_ = nullptr;
};

// The latency, service and lateness of one server.
inline constexpr std::size_t counts_per_server = 3 * histogram::buckets;

// Where rank 0 gets its orders and leaves the answers.
class order_source {
 public:
  order_source() = default;
  order_source(const order_source&) = delete;
  order_source& operator=(const order_source&) = delete;
  virtual ~order_source() = default;
  virtual std::string next() = 0;
  virtual void answer(const std::string& joint) = 0;
};

// Carries out one order together with the others, and merges the answers at rank 0.
joint_answer carry_out_together(participant& self, transport& all, const any_order& order);

// Carries out orders until orders::end. At rank 0 `source` is not null. Returns false if ranks were
// silent: then nothing more can be done with the others.
bool take_part(participant& self, transport& all, order_source* source);

}  // namespace bench
