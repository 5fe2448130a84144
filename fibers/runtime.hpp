// runtime: one scheduler a thread, nothing shared.
//
//     fibers::runtime runtime{4};
//     runtime.run([](unsigned index) {        // the first fiber of each thread
//       fibers::tcp::listener listener{"", 25000, {.reuse_port = true}};
//       ...
//     });
//
// Fibers never change threads, so what a thread's fibers share needs no lock. Work crosses over by
// post(), and connections are shared out by the kernel: a listener a thread, on one port.
#pragma once

#include <fibers/scheduler.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

namespace fibers {

class runtime {
 public:
  // At least one thread.
  explicit runtime(unsigned threads, const scheduler_options& options = {})
      : options_{options}, schedulers_(threads > 0 ? threads : 1) {}
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  // Makes a scheduler on each thread, the calling one among them, and runs `start(index)` as its
  // first fiber. Returns when no fiber is left on any. The first exception that leaves a scheduler
  // stops the others and comes out of here, as does a thread that cannot start.
  void run(const std::function<void(unsigned index)>& start);

  unsigned threads() const noexcept { return static_cast<unsigned>(schedulers_.size()); }

  // Runs `function` on that thread, as scheduler::post does. Any thread may call it. False: that
  // thread does not run (any more), and the function is dropped.
  template <std::invocable Function>
  bool post(unsigned index, Function&& function) {
    const std::lock_guard lock{mutex_};
    auto* there = schedulers_[index];
    if (there != nullptr) there->post(std::forward<Function>(function));
    return there != nullptr;
  }

  // Cancels every fiber of every thread. Any thread may call it. Before run() it ends the next one
  // at once.
  void stop();

 private:
  void run_one(unsigned index, const std::function<void(unsigned)>& start) noexcept;
  void failed(std::exception_ptr why) noexcept;

  scheduler_options options_;
  std::mutex mutex_;
  std::vector<scheduler*> schedulers_;  // null: not running
  std::exception_ptr failure_;
  bool stopped_ = false;
};

}  // namespace fibers
