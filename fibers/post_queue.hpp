// post_queue: functions that other threads hand to a loop.
//
//     if (posts.push([] { ... })) interrupt_the_loop();   // any thread
//     ...
//     posts.run();                                        // the loop's thread
//
// A lock-free stack, taken whole and turned around. The loop says before it goes to sleep that
// somebody has to wake it, so a loop that is awake costs those who push no system call.
#pragma once

#include <atomic>
#include <concepts>
#include <type_traits>
#include <utility>

namespace fibers {

class post_queue {
 public:
  post_queue() = default;
  post_queue(const post_queue&) = delete;
  post_queue& operator=(const post_queue&) = delete;
  ~post_queue() { drop(); }

  // True: the loop sleeps, and the caller must wake it. The one member that any thread may call.
  // Functions of one thread are run in the order they were pushed. Throws std::bad_alloc.
  template <std::invocable Function>
  [[nodiscard]] bool push(Function&& function) {
    return add(new holder<std::decay_t<Function>>{std::forward<Function>(function)});
  }

  // Nothing is to be run, at a glance: what was pushed this moment may not be seen yet.
  bool empty() const noexcept {
    return left_ == nullptr && pushed_.load(std::memory_order_relaxed) == nullptr;
  }

  // From now on until wake_up() the first push() says that the loop sleeps. False: something has
  // been pushed before, so it must not.
  bool fall_asleep() noexcept;
  void wake_up() noexcept { asleep_.store(false, std::memory_order_relaxed); }

  // Runs what was pushed. When a function throws, the exception comes out and those behind it are
  // left to the next call.
  void run();

  // Destroys what was pushed, and does not run it.
  void drop() noexcept;

 private:
  struct post {
    virtual ~post() = default;
    virtual void run() = 0;
    post* next = nullptr;
  };
  template <class Function>
  struct holder final : post {
    explicit holder(Function held) : function{std::move(held)} {}
    void run() override { function(); }
    Function function;
  };

  bool add(post* added) noexcept;
  post* take() noexcept;
  void run_left();

  post* left_ = nullptr;  // taken from pushed_, in the order they were pushed

  // Written by other threads, so away from the rest.
  alignas(64) std::atomic<post*> pushed_{nullptr};  // the last one first
  std::atomic<bool> asleep_{false};
};

}  // namespace fibers
