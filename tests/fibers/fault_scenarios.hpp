// fault_scenarios: small programs as users write them, for faults to strike.
//
//     for (const auto& each : stream_scenarios()) {
//       outcome result;
//       each.run(result);
//     }
#pragma once

#include <boost/system/error_code.hpp>
#include <chrono>
#include <exception>
#include <span>

#include <tests/sanitized.hpp>

// How long a scenario waits for what should come at once.
constexpr auto long_enough = std::chrono::milliseconds{thread_sanitized ? 1500 : 300};

// What a scenario reports. It allocates nothing while faults may strike.
struct outcome {
  bool failed = false;  // some call said that it failed
  bool right = true;    // no byte was lost, doubled or wrong
  void fails_if(const boost::system::error_code& error) {
    if (error) failed = true;
  }
  void expect(bool is_right) {
    if (!is_right) right = false;
  }
};

// Runs `body`. What it throws is reported.
template <class Body>
void report(outcome& result, Body body) {
  try {
    body();
  } catch (const std::exception&) {
    result.failed = true;
  }
}

struct fault_scenario {
  const char* name;
  void (*run)(outcome&);
};
std::span<const fault_scenario> stream_scenarios();
std::span<const fault_scenario> waiting_scenarios();
