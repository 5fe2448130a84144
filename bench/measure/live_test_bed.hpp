// live_test_bed: starts real servers on one CPU and loads them from this thread, on another CPU.
#pragma once

#include <atomic>
#include <bench/load/generator.hpp>
#include <bench/machine/machine.hpp>
#include <bench/measure/test_bed.hpp>
#include <bench/server/process.hpp>
#include <bench/text/failure.hpp>
#include <memory>
#include <optional>
#include <set>

namespace bench {

class live_test_bed : public test_bed {
 public:
  // The calling thread is the client; the caller pins it beforehand. Once `stop` is true, every
  // call throws `interrupted`.
  // `smallest`: a load by which the servers are met and weighed. `make_client`: what loads the
  // servers; empty: a load_generator on the calling thread. `host`: where the servers are started;
  // null: on this host.
  live_test_bed(std::vector<server_info> servers, std::optional<int> server_cpu, std::uint64_t seed,
                const std::atomic<bool>& stop, const scenario& smallest = {},
                make_load_client make_client = {}, std::shared_ptr<server_host> host = {});

  duration now() override;
  introduction introduce(const std::string& server) override;
  std::vector<memory_sample> measure_memory(const std::string& server,
                                            const std::vector<int>& connections,
                                            std::vector<caveat>& caveats_found) override;
  kernel_sample count_calls(const std::string& server, const scenario& shape, duration warm_up,
                            duration length) override;
  void launch(const std::vector<std::string>& servers, const scenario& shape) override;
  std::vector<slice> load(const std::vector<std::size_t>& launches, duration length) override;
  std::vector<slice> load_at_rate(const std::vector<std::size_t>& launches, double per_second,
                                  duration length) override;
  disturbance finish() override;
  void abandon() noexcept override;

  // For `duel`, which shows and pauses its servers. Null for a server that was not started on this
  // host.
  const server_process* process(std::size_t launch) const;

  // The servers for which at least one slice has no CPU time, because their set of processes
  // changed during the slice.
  const std::set<std::string>& uncounted() const { return uncounted_; }

 private:
  const server_info& find(const std::string& name) const;
  void start(const std::string& server, const scenario& shape);
  std::int64_t rest();
  void change_load(const std::vector<std::size_t>& launches, double per_second);
  std::vector<slice> measure(duration length);
  std::vector<std::optional<double>> cpu_ns_of_loaded() const;
  std::optional<double> all_of(std::optional<double> cpu_ns, std::size_t launch, bool answered);
  std::optional<double> cpu_ns_of(std::size_t launch) const;
  [[noreturn]] void explain();
  void expect_in_reach() const;  // throws host_failed
  // Why a launched server ended. Waits up to `dying` for it; nullopt: all of them still run.
  std::optional<std::string> obituary();

  struct launched {
    std::unique_ptr<running_server> server;  // null: a target, which was not started by this
    load_client::server_number number;       // its number in client_
  };

  // What the CPUs and the servers had used when the first load of a block began.
  struct usage {
    duration at{};
    processor_times processor;
    processor_times clients_processor;  // read only where the client has a CPU of its own
    double servers_ns = 0;
    double client_ns = 0;
  };
  usage read_usage() const;
  disturbance since(const usage& before) const;

  std::vector<server_info> servers_;
  std::optional<int> server_cpu_;
  std::uint64_t seed_;
  const std::atomic<bool>& stop_;
  const scenario smallest_;
  const bool client_is_this_thread_;
  const make_load_client make_client_;
  const std::shared_ptr<server_host> host_;
  // Servers whose connections other processes answer: no CPU, no memory.
  std::set<std::string> elsewhere_;
  std::set<std::string> uncounted_;
  std::vector<launched> launched_;
  std::unique_ptr<load_client> client_;
  std::vector<std::size_t> loaded_;
  std::vector<std::int64_t> from_quiet_to_quiet_;  // the replies of each, if the client counts them
  double per_second_ = 0;  // messages per second due from each server; 0: closed loop
  std::optional<usage> before_;
};

}  // namespace bench
