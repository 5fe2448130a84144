#include <tests/fibers/forced_settings.hpp>

#if __has_include(<liburing.h>)
#include <fibers/reactors/io_uring.hpp>

#include <chrono>

bool force_settings(std::string_view name) {
  using namespace std::chrono_literals;
  fibers::io_uring_reactor::settings wanted;
  if (name == "io_uring_gathering") {
    wanted.gather = 20us;
    wanted.least_gathered = 3;
  } else if (name == "io_uring_loud") {
    wanted.gather = fibers::gather::off;
    wanted.quiet_sends = false;
  } else {
    return false;
  }
  fibers::io_uring_reactor::forced = wanted;
  return true;
}
#else
bool force_settings(std::string_view) {
  return false;
}
#endif
