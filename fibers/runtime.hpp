// runtime: one scheduler per thread, nothing shared.
//
//     fibers::runtime runtime{4};
//     runtime.run([](unsigned index) {        // the first fiber of each thread
//       fibers::tcp::listener listener{"", 25000, {.reuse_port = true}};
//       ...
//     });
//
// Fibers never change threads, so the data that the fibers of one thread share needs no lock. Work
// passes to another thread by post(). The kernel distributes the connections: each thread has a
// listener on the same port (SO_REUSEPORT).
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
  // Uses at least one thread. They start in run().
  explicit runtime(unsigned threads, const scheduler_options& options = {})
      : options_{options}, threads_(threads > 0 ? threads : 1) {}
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  // Makes a scheduler on each thread, one of which is the calling thread, and runs `start(index)`
  // as its first fiber. Returns when no fiber is left on any thread. All sockets must be closed by
  // then, because the schedulers are destroyed. The first exception that leaves a scheduler stops
  // the others and comes out of run(); so does the failure to start a thread.
  void run(const std::function<void(unsigned index)>& start);

  unsigned threads() const noexcept { return static_cast<unsigned>(threads_.size()); }

  // Runs `function` on that thread, as scheduler::post() does. Any thread may call it. True: the
  // function will run, and so will the fibers it spawns, unless an exception ends the thread first.
  // False: that thread does not run, or no longer, and the function is dropped.
  template <std::invocable Function>
  bool post(unsigned index, Function&& function) {
    const std::lock_guard lock{mutex_};
    auto& there = threads_[index];
    if (there.accepts_posts) there.scheduler->post(std::forward<Function>(function));
    return there.accepts_posts;
  }

  // Cancels every fiber of every thread. Any thread may call it. A call before run() ends the next
  // run() at once.
  void stop();

 private:
  struct thread {
    fibers::scheduler* scheduler = nullptr;  // null unless it runs
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
