#include <tests/fibers/forced_settings.hpp>

#if __has_include(<liburing.h>)
#include <fibers/reactors/io_uring.hpp>

#include <chrono>
#include <cstddef>
#include <limits>

bool force_settings(std::string_view name) {
  using namespace std::chrono_literals;
  constexpr auto never = std::numeric_limits<std::size_t>::max();
  fibers::io_uring_reactor::settings wanted;
  if (name == "io_uring_gathering") {
    wanted.gather = 20us;
    wanted.least_gathered = 3;
  } else if (name == "io_uring_loud") {
    wanted.gather = fibers::gather::off;
    wanted.quiet_sends = false;
    wanted.receive_straight_from = wanted.send_straight_from = never;
  } else if (name == "io_uring_straight") {
    wanted.receive_straight_from = wanted.send_straight_from = 0;
  } else {
    return false;
  }
  fibers::io_uring_reactor::forced = wanted;
  return true;
}

bool all_goes_straight() {
  const auto& forced = fibers::io_uring_reactor::forced;
  return forced && forced->send_straight_from == 0;
}
#else
bool force_settings(std::string_view) {
  return false;
}
bool all_goes_straight() {
  return false;
}
#endif
