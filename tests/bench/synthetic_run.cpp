#include <tests/bench/synthetic_run.hpp>

#include <cmath>
#include <memory>
#include <optional>
#include <random>

namespace {

class synthetic_machine {
 public:
  explicit synthetic_machine(const synthetic_truth& truth) : truth_{truth}, random_{truth.seed} {}

  bench::run_record run() {
    record_.header = header();
    for (int round = 0; round < truth_.rounds; ++round) add_round(round);
    for (const auto& server : record_.header.servers) add_memory(server.name);
    for (const auto& server : record_.header.servers)
      record_.kernel.push_back({server.name, {64, 512, 1}, 1000, 2031, 12});
    record_.end = bench::run_end::complete;
    return record_;
  }

 private:
  static double kernel_ns(const bench::scenario& load) {
    return 4000 + 3000.0 / load.connections + load.message_bytes * 0.12;
  }

  bench::run_header header() const {
    bench::run_header header;
    header.started_utc = "2026-01-31T12:34:56Z";
    header.suite = "default";
    header.command_line = "bench/run --suite default --seed 42";
    header.seed = 42;
    header.rounds = truth_.rounds;
    header.scenarios = {{1, 64, 1}, {64, 512, 1}, {256, 64, 1}};
    header.comparisons = {{"asio-callback/epoll", "fibers/epoll", "floor/epoll"}};
    if (truth_.select_too)
      header.comparisons.push_back({"asio-callback/select", "fibers/select", "floor/select"});
    for (const auto& pair : header.comparisons)
      for (const auto& name : {pair.base, pair.contender, *pair.floor})
        header.servers.push_back({name,
                                  "build/release/bin/" + name + " --port {port}",
                                  {{"threads", "1"}, {"buffer", "1000"}, {"nodelay", "1"}}});
    header.machine = {"Imaginary CPU 3000",
                      2,
                      "6.1.0-imaginary",
                      "kvm",
                      "n/a",
                      "all mitigated",
                      "gcc 12.2.0",
                      "Release",
                      "-O3 -DNDEBUG",
                      "1.81.0",
                      0,
                      1,
                      "4b61007",
                      {},
                      "L1d 32K, L2 512K",
                      250,
                      true};
    return header;
  }

  void add_round(int round) {
    drift_ = truth_.kernel_drift * std::sin(0.7 * round);
    for (const auto& load : record_.header.scenarios)
      for (const auto& pair : record_.header.comparisons) {
        record_.blocks.push_back(duet(round, load, pair, false));
        record_.blocks.push_back(exclusive(round, load, pair));
      }
    if (truth_.open_loop) add_open_loops(round);
    if (!truth_.control) return;
    const auto& first = record_.header.comparisons.front();
    record_.blocks.push_back(
        duet(round, record_.header.scenarios[1], {first.base, first.base, first.floor}, true));
    const double swing = std::exp(round % 2 == 0 ? truth_.control_swing : -truth_.control_swing);
    for (auto& each : record_.blocks.back().slices)
      if (each.launch == 1) *each.cpu_ns *= swing;
  }

  // Every message is sent 9 us after it is due.
  void add_open_loops(int round) {
    const auto load = bench::scenario::parse("c64/512/r50%");
    const auto& pair = record_.header.comparisons.front();
    auto block = exclusive(round, load, pair);
    block.kind = bench::block_kind::open_loop;
    for (auto& each : block.slices) {
      const auto due = static_cast<std::int64_t>(20'000 * each.seconds);
      each.messages = static_cast<std::int64_t>(truth_.answered * static_cast<double>(due));
      each.open_loop = bench::open_loop_times{.rate_per_second = 20'000,
                                              .due = due,
                                              .service_p50_us = each.p50_us - 9,
                                              .service_p90_us = each.p90_us - 9,
                                              .service_p99_us = each.p99_us - 9,
                                              .late_p99_us = 3,
                                              .service = {}};
      if (truth_.latencies) each.open_loop->service = latencies(each.p50_us - 9);
    }
    record_.blocks.push_back(block);
  }

  // A thousand latencies with this median and a long tail.
  static bench::kept_histogram latencies(double p50_us) {
    bench::histogram times;
    for (int i = 0; i < 1000; ++i)
      times.record(
          static_cast<std::uint64_t>(893 * p50_us * std::pow(1 - (i + 0.5) / 1000, -0.163)));
    return std::make_shared<const bench::histogram>(times);
  }

  bench::block duet(int round, const bench::scenario& load, const bench::comparison& pair,
                    bool control) {
    auto block = empty(bench::block_kind::duet, round, load, pair, "ABF");
    block.control = control;
    for (int position = 0; position < 2; ++position) {
      block.slices.push_back(slice(load, pair.base, 0, position, truth_.noise, 0.31));
      block.slices.push_back(slice(load, pair.contender, 1, position, truth_.noise, 0.31));
      if (pair.floor)
        block.slices.push_back(slice(load, *pair.floor, 2, position, truth_.noise, 0.31));
    }
    return block;
  }

  bench::block exclusive(int round, const bench::scenario& load, const bench::comparison& pair) {
    const std::string order = round % 2 == 0 ? "ABBA" : "BAAB";
    auto block = empty(bench::block_kind::exclusive, round, load, pair, order);
    for (int position = 0; position < 4; ++position) {
      const bool contender = order[static_cast<std::size_t>(position)] == 'B';
      block.slices.push_back(slice(load, contender ? pair.contender : pair.base, contender ? 1 : 0,
                                   position, truth_.exclusive_noise, 1));
      block.slices.back().start_ms = 1'769'862'896'000 + 10'000 * round + 1000 * position;
      if (truth_.latencies) block.slices.back().latency = latencies(block.slices.back().p50_us);
    }
    return block;
  }

  static bench::block empty(bench::block_kind kind, int round, const bench::scenario& load,
                            const bench::comparison& pair, const std::string& order) {
    bench::block block;
    block.kind = kind;
    block.round = round;
    block.scenario = load;
    block.comparison = pair;
    block.order = order;
    block.foreign_cpu_share = 0.01;
    return block;
  }

  bench::slice slice(const bench::scenario& load, const std::string& server, int launch,
                     int position, double noise, double share_of_core) {
    const double cost = (kernel_ns(load) * (1 + drift_) + truth_.library_ns.at(server)) *
                        std::exp(noise * normal_(random_));
    bench::slice result;
    result.server = server;
    result.launch = launch;
    result.position = position;
    result.seconds = 0.2;
    result.messages = static_cast<std::int64_t>(0.2e9 * share_of_core * 0.95 / cost);
    result.checked = result.messages / 64;
    result.cpu_ns = cost * static_cast<double>(result.messages);
    const double round_trip_us = cost * load.connections / 1000 + 15;
    result.p50_us = round_trip_us * std::exp(noise * normal_(random_));
    result.p90_us = 1.3 * round_trip_us * std::exp(noise * normal_(random_));
    result.p99_us = 2.1 * round_trip_us * std::exp(6 * noise * normal_(random_));
    result.max_us = 8 * round_trip_us;
    result.client_utilisation = truth_.utilisation;
    return result;
  }

  void add_memory(const std::string& server) {
    const double each = server.starts_with("fibers") ? 9.1 : server.starts_with("asio") ? 1.9 : 0.4;
    for (const int connections : {16, 256, 1024})
      record_.memory.push_back({server, connections, 3100 + each * connections});
  }

  const synthetic_truth truth_;
  std::mt19937 random_;
  std::normal_distribution<double> normal_;
  bench::run_record record_;
  double drift_ = 0;
};

}  // namespace

bench::run_record synthetic_run(const synthetic_truth& truth) {
  return synthetic_machine{truth}.run();
}

bench::run_record every_caveat() {
  auto record = synthetic_run({.rounds = 1});
  record.header.servers.push_back(
      {.name = "api", .command = "", .target = "10.0.0.1:25000", .prefix = ""});
  record.blocks.front().slices.front().cpu_ns.reset();
  using namespace bench::caveats;
  record.caveats_found = {client_saturated{"fibers/epoll", "c64/512", 0.97},
                          backend_mismatch{"fibers/io_uring", "io_uring", "epoll"},
                          blocks_correlated{"c64/512", "fibers/epoll", 0.002},
                          debug_build{"mine"},
                          threads_mixed{"a", "b"},
                          one_cpu{},
                          not_pinned{"sched_setaffinity: Operation not permitted"},
                          noisy_machine{0.2},
                          no_control{},
                          run_incomplete{3, 10},
                          empty_slices{"c1/64", "mine", 2},
                          load_saturated{"mine", "c64/512/r50%", 20'000, 0.8},
                          descriptors_missing{"c10000/64", bench::block_kind::duet, 30'064, 1024},
                          server_missing{"fibers/io_uring", "it exited with status 1"},
                          run_resumed{"2026-02-01T00:00:00Z"},
                          run_void{"mine: wrong reply"},
                          calls_not_counted{"Permission denied"},
                          time_stolen{0.1},
                          clock_follows_load{"powersave"},
                          noise_grade_d{0.12},
                          not_started_here{"api", "10.0.0.1:25000"},
                          processes_changed{"mine"},
                          unlike_reactors{"fibers/epoll", "fibers/io_uring"},
                          client_disturbed{0.2},
                          memory_cut_short{"mine", 1024, "mine exited with status 7"},
                          cpu_elsewhere{"mine"},
                          cost_missing{"c1/64", "mine", 2},
                          replies_delayed{"mine", "c1/64", 44'000},
                          control_misread{"c64/512", 1000, 1200, 1500},
                          host_differs{"b", "c64/512", "p50 0.43 ms and not 0.21 ms"},
                          generator_saturated{"b", "c64/512", 0.98},
                          start_skewed{"b", 0.23, 4300},
                          host_left_out{"c"},
                          servers_elsewhere{"d"}};
  return record;
}

bench::run_record with_target(bench::run_record record) {
  const std::string was = "fibers/epoll";
  const auto rename = [&](std::string& name) { name = name == was ? "api" : name; };
  for (auto& pair : record.header.comparisons)
    if (pair.contender == was) pair = {pair.base, "api", std::nullopt};
  for (auto& server : record.header.servers)
    if (server.name == was)
      server = {.name = "api", .command = "", .target = "10.0.0.1:25000", .prefix = ""};
  std::erase_if(record.memory, [&](const auto& sample) { return sample.server == was; });
  std::erase_if(record.blocks, [&](const bench::block& block) {
    return block.kind == bench::block_kind::duet && block.comparison.contender == was;
  });
  for (auto& block : record.blocks) {
    if (block.comparison.contender != was) continue;
    block.comparison = {block.comparison.base, "api", std::nullopt};
    for (auto& slice : block.slices) {
      rename(slice.server);
      if (slice.server == "api") slice.cpu_ns.reset();
    }
  }
  record.caveats_found.push_back(bench::caveats::not_started_here{"api", "10.0.0.1:25000"});
  return record;
}

std::string ndjson_of(const bench::run_record& record) {
  std::string text = bench::to_json_line(record.header) + '\n';
  for (const auto& block : record.blocks) text += bench::to_json_line(block) + '\n';
  for (const auto& sample : record.memory) text += bench::to_json_line(sample) + '\n';
  for (const auto& sample : record.kernel) text += bench::to_json_line(sample) + '\n';
  for (const auto& each : record.caveats_found) text += bench::to_json_line(each) + '\n';
  if (record.end) text += bench::to_json_line(*record.end) + '\n';
  return text;
}
