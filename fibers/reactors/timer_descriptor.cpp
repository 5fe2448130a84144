#include <fibers/error.hpp>
#include <fibers/reactors/timer_descriptor.hpp>

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>

namespace fibers {

timer_descriptor::timer_descriptor()
    : descriptor_{::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)} {
  if (descriptor_ < 0) throw_error(errno, "timerfd_create");
}

timer_descriptor::~timer_descriptor() {
  ::close(descriptor_);
}

// A deadline in the past is not armed: the kernel would need an interrupt, and microseconds, for
// it.
bool timer_descriptor::set(time_point deadline) noexcept {
  using namespace std::chrono;
  if (deadline <= steady_clock::now()) return false;
  itimerspec setting{};  // all zero: disarmed
  if (deadline != time_point::max()) {
    const nanoseconds moment = deadline.time_since_epoch();
    const auto whole = duration_cast<seconds>(moment);
    setting.it_value = {whole.count(), (moment - whole).count()};
  }
  ::timerfd_settime(descriptor_, TFD_TIMER_ABSTIME, &setting, nullptr);
  armed_ = deadline;
  readable_ = false;
  return true;
}

}  // namespace fibers
