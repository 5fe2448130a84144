// load_team: the clients of `echobench load`, each on a thread of its own; or, as load_hosts, on
// hosts of their own.
//
//     load_threads clients{scenario::parse("c64/512"), 4, stop};
//     clients.connect(address::resolve("localhost", 25000));   // 16 connections for each thread
//     load_sample seen;
//     clients.load(5s, 0, seen);                               // of all threads together
//
// They share nothing while they load. What they measured is added up afterwards.
#pragma once

#include <atomic>
#include <bench/hosts/fleet.hpp>
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

class load_team {
 public:
  using nanoseconds = std::chrono::nanoseconds;

  load_team() = default;
  load_team(const load_team&) = delete;
  load_team& operator=(const load_team&) = delete;
  virtual ~load_team() = default;

  // Opens the connections of the scenario, about as many by each client; see
  // load_client::connect(). This and load() throw the first error of a client, after which the
  // other clients have ended, too.
  virtual void connect(const address& where) = 0;

  // Of the replies of the server, after connect().
  virtual std::string prefix() const = 0;

  // Loads the server for `duration` and waits for the outstanding replies. `per_second` messages
  // are due from the server; 0: a closed loop. `found` receives what was measured, also before this
  // throws: then a message counts as unanswered if it was due long before.
  virtual void load(nanoseconds duration, double per_second, load_sample& found) = 0;

  // load() calls `look` on the thread of its caller, about once per second, with what was measured
  // until then. Clients on other hosts tell what they measured only at the end.
  virtual void set_observer(std::function<void(const load_sample& so_far)> look) = 0;
};

class load_threads final : public load_team {
 public:
  // 1 to shape.connections threads. Once `stop` is true, every call throws `interrupted`, within
  // 0.2 s. `stop` must outlive the team. `sources`: see load_generator::set_sources().
  load_threads(const scenario& shape, int threads, const std::atomic<bool>& stop,
               const std::vector<address>& sources = {});

  void connect(const address& where) override;
  std::string prefix() const override;
  void load(nanoseconds duration, double per_second, load_sample& found) override;
  void set_observer(std::function<void(const load_sample& so_far)> look) override {
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

// The generators of a fleet, which must outlive the team. If a load fails, nothing of it is known.
class load_hosts final : public load_team {
 public:
  load_hosts(const scenario& shape, fleet& generators)
      : shape_{shape}, client_{generators.make_client(shape, 1)} {}

  void connect(const address& where) override;
  std::string prefix() const override { return client_->prefix(server_); }
  void load(nanoseconds duration, double per_second, load_sample& found) override;
  void set_observer(std::function<void(const load_sample& so_far)>) override {}

 private:
  scenario shape_;
  std::unique_ptr<load_client> client_;
  load_client::server_number server_ = 0;
};

}  // namespace bench
