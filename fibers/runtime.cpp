#include <fibers/runtime.hpp>

#include <thread>

namespace fibers {

void runtime::run(const std::function<void(unsigned index)>& start) {
  stopped_ = false;
  {
    std::vector<std::jthread> others;  // one thread fewer: a process with one alone is faster
    for (unsigned index = 1; index < threads(); ++index) {
      others.emplace_back([this, index, &start] { run_one(index, start); });
    }
    run_one(0, start);
  }
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void runtime::run_one(unsigned index, const std::function<void(unsigned)>& start) noexcept try {
  scheduler here{options_};
  here.spawn("start", [&start, index] { start(index); });
  struct registration {
    runtime& all;
    unsigned index;
    ~registration() {
      const std::lock_guard lock{all.mutex_};
      all.schedulers_[index] = nullptr;
    }
  } guard{*this, index};
  {
    const std::lock_guard lock{mutex_};
    schedulers_[index] = &here;
    if (stopped_) here.stop();
  }
  here.run();
} catch (...) {
  {
    const std::lock_guard lock{mutex_};
    if (!failure_) failure_ = std::current_exception();
  }
  stop();
}

void runtime::stop() {
  const std::lock_guard lock{mutex_};
  stopped_ = true;
  for (auto* there : schedulers_) {
    if (there != nullptr) there->post([there] { there->stop(); });
  }
}

}  // namespace fibers
