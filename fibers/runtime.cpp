#include <fibers/error.hpp>
#include <fibers/runtime.hpp>

#include <atomic>
#include <new>
#include <string>
#include <system_error>
#include <thread>

namespace fibers {

void runtime::run(const std::function<void(unsigned index)>& start) {
  {
    // The threads begin when all are started. If one ran out of memory while others are still being
    // started, it could not even report that.
    enum : int { wait, go, give_up };
    std::atomic<int> signal{wait};
    // Index 0 runs on this thread: a process with one thread is faster.
    std::vector<std::jthread> others;
    try {
      for (unsigned index = 1; index < threads(); ++index) {
        others.emplace_back([this, index, &start, &signal] {
          signal.wait(wait);
          if (signal == go) run_one(index, start);
        });
      }
      signal = go;
    } catch (const std::system_error& error) {
      signal = give_up;
      const auto which = std::to_string(others.size() + 1) + " of " + std::to_string(threads());
      failed(std::make_exception_ptr(
          boost::system::system_error{code_of(error.code().value()), "start thread " + which}));
    } catch (const std::bad_alloc&) {
      signal = give_up;
      failed(std::current_exception());
    }
    signal.notify_all();
    if (signal == go) run_one(0, start);
  }
  {
    const std::lock_guard lock{mutex_};
    stopped_ = false;
  }
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

// Lets other threads reach a scheduler, for stop() and post().
class runtime::registration {
 public:
  registration(runtime& all, unsigned index, scheduler& here) : all_{all}, index_{index} {
    const std::lock_guard lock{all_.mutex_};
    mine() = {&here, false};
    if (all_.stopped_) here.stop();
  }
  registration(const registration&) = delete;
  registration& operator=(const registration&) = delete;
  ~registration() {
    const std::lock_guard lock{all_.mutex_};
    mine() = {};
  }

  void accept_posts(bool accepts) {
    const std::lock_guard lock{all_.mutex_};
    mine().accepts_posts = accepts;
  }

 private:
  thread& mine() { return all_.threads_[index_]; }

  runtime& all_;
  unsigned index_;
};

void runtime::run_one(unsigned index, const std::function<void(unsigned)>& start) noexcept try {
  scheduler here{options_};
  here.spawn("start", [&start, index] { start(index); });
  registration reachable{*this, index, here};
  do {
    reachable.accept_posts(true);
    here.run();
    reachable.accept_posts(false);
    here.posts_.run();  // posts that came as the last fiber ended may spawn another
  } while (here.tasks().any_alive());
} catch (...) {
  failed(std::current_exception());
}

void runtime::failed(std::exception_ptr why) noexcept {
  {
    const std::lock_guard lock{mutex_};
    if (!failure_) failure_ = std::move(why);
  }
  stop();
}

void runtime::stop() {
  const std::lock_guard lock{mutex_};
  stopped_ = true;
  for (const auto& each : threads_) {
    if (each.scheduler != nullptr) each.scheduler->stop();
  }
}

}  // namespace fibers
