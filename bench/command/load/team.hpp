// load_team: the clients of `echobench load`, each on a thread of its own.
//
//     load_team clients{scenario::parse("c64/512"), 4, stop};
//     clients.connect(address::resolve("localhost", 25000));   // 16 connections for each thread
//     load_sample seen;
//     clients.load(5s, 0, seen);                               // of all threads together
//
// The threads share nothing while they load. What they measured is added up afterwards.
#pragma once

#include <atomic>
#include <bench/load/address.hpp>
#include <bench/load/generator.hpp>
#include <bench/load/sample.hpp>
#include <bench/record/scenario.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace bench {

// What several clients measured at the same time, as one. Of seconds and of the CPU it has the most
// that a client used: the team is the limit as soon as one of them is.
load_sample sum_of(const std::vector<load_sample>& clients);

class load_team {
 public:
  using nanoseconds = std::chrono::nanoseconds;

  // 1 to shape.connections threads. Once `stop` is true, every call throws `interrupted`, within
  // 0.2 s. `stop` must outlive the team.
  load_team(const scenario& shape, int threads, const std::atomic<bool>& stop);

  // Opens the connections of the scenario, about as many on each thread; see
  // load_generator::connect(). This and load() throw the first error of a client, after which the
  // other clients have ended, too.
  void connect(const address& where);

  // Of the replies of the server, after connect().
  std::string prefix() const;

  // Loads the server for `duration` and waits for the outstanding replies. `per_second` messages
  // are due from the server; 0: a closed loop. `found` receives what was measured, also before this
  // throws: then a message counts as unanswered if it was due long before.
  void load(nanoseconds duration, double per_second, load_sample& found);

  // load() calls `look` on the thread of its caller, about once per second, with what was measured
  // until then.
  void set_observer(std::function<void(const load_sample& so_far)> look) {
    look_ = std::move(look);
  }

 private:
  struct client {
    client(const scenario& part, std::uint64_t seed, const std::atomic<bool>& stop)
        : shape{part}, generator{part, seed, stop} {}
    scenario shape;
    load_generator generator;
    load_generator::server_number server = 0;
  };

  template <class Work>
  void on_each_thread(Work work);
  void publish(std::size_t number);
  void look_at_published();

  scenario shape_;
  const std::atomic<bool>& stop_;
  std::atomic<bool> ended_{false};                // by `stop_` or by an error of a client
  std::vector<std::unique_ptr<client>> clients_;  // a generator stays where it is
  std::function<void(const load_sample&)> look_;
  std::mutex guard_;
  std::vector<load_sample> published_;  // one for each client, under guard_
};

}  // namespace bench
