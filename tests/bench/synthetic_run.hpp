// synthetic_run: a record as a measurement would leave it, made from known costs and seeded noise.
//
//     auto record = synthetic_run({.rounds = 10, .library_ns = {{"fibers/epoll", 55}, ...}});
#pragma once

#include <bench/record/record.hpp>
#include <map>
#include <string>

struct synthetic_truth {
  int rounds = 10;
  unsigned seed = 7;
  double noise = 0.006;           // standard deviation of ln(cost) in a slice of a duet block
  double exclusive_noise = 0.03;  // the same in exclusive and open-loop blocks
  bool control = true;
  double control_swing = 0;  // ln(factor) on the cost of its second launch; odd rounds: negative
  bool select_too = true;
  double utilisation = 0.71;
  bool open_loop = true;
  bool latencies = true;      // slices of a server loaded alone keep their histograms
  double answered = 1;        // share of the messages due in the open loop
  double kernel_drift = 0.3;  // amplitude of the kernel's cost over the rounds, relative
  std::map<std::string, double> library_ns{{"fibers/epoll", 55}, {"asio-callback/epoll", 480},
                                           {"floor/epoll", 0},   {"fibers/select", 160},
                                           {"floor/select", 0},  {"asio-callback/select", 3100}};
};

bench::run_record synthetic_run(const synthetic_truth& truth = {});

// A run with a caveat of each kind.
bench::run_record every_caveat();

// Replaces fibers/epoll by the target "api". echobench did not start it, so its CPU time and memory
// are unknown, and it takes part in no duet.
bench::run_record with_target(bench::run_record record);

// The file that the runner would have written.
std::string ndjson_of(const bench::run_record& record);
