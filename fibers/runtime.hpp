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
      : options_{options}, threads_(threads > 0 ? threads : 1) {}
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  // Makes a scheduler on each thread, the calling one among them, and runs `start(index)` as its
  // first fiber. Returns when no fiber is left on any; their sockets must be closed by then, for
  // the schedulers are gone. The first exception that leaves a scheduler stops the others and comes
  // out of here, as does a thread that cannot start.
  void run(const std::function<void(unsigned index)>& start);

  unsigned threads() const noexcept { return static_cast<unsigned>(threads_.size()); }

  // Runs `function` on that thread, as scheduler::post does. Any thread may call it. True: it will
  // run, and what it spawns to its end, unless an exception ends the thread before. False: that
  // thread does not run (any more), and the function is dropped.
  template <std::invocable Function>
  bool post(unsigned index, Function&& function) {
    const std::lock_guard lock{mutex_};
    auto& there = threads_[index];
    if (there.accepts_posts) there.scheduler->post(std::forward<Function>(function));
    return there.accepts_posts;
  }

  // Cancels every fiber of every thread. Any thread may call it. Before run() it ends the next one
  // at once.
  void stop();

 private:
  struct thread {
    fibers::scheduler* scheduler = nullptr;  // while it runs
    bool accepts_posts = false;
  };
  class registration;

  void run_one(unsigned index, const std::function<void(unsigned)>& start) noexcept;
  void failed(std::exception_ptr why) noexcept;

  scheduler_options options_;
  std::mutex mutex_;
  std::vector<thread> threads_;
  std::exception_ptr failure_;
  bool stopped_ = false;
};

}  // namespace fibers
