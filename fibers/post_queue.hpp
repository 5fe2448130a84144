// post_queue: functions that other threads hand to a loop.
//
//     if (posts.push([] { ... })) interrupt_the_loop();   // any thread
//     ...
//     posts.run();                                        // the loop's thread
//
// A lock-free stack (Treiber): push() adds to the front, and the loop takes the whole list at once
// and reverses it. The loop announces that it goes to sleep, so a push to a loop that is awake
// costs no system call.
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

  // True: the loop sleeps, and the caller must wake it. The only member that any thread may call.
  // The functions of one thread run in the order in which they were pushed. Throws std::bad_alloc.
  template <std::invocable Function>
  [[nodiscard]] bool push(Function&& function) {
    return add(new holder<std::decay_t<Function>>{std::forward<Function>(function)});
  }

  // Whether there is nothing to run. It may not see yet what another thread has just pushed.
  bool empty() const noexcept {
    return left_ == nullptr && pushed_.load(std::memory_order_relaxed) == nullptr;
  }

  // Announces that the loop goes to sleep: until wake_up(), the first push() returns true. False:
  // something has been pushed before, so the loop must not sleep.
  bool fall_asleep() noexcept;
  void wake_up() noexcept { asleep_.store(false, std::memory_order_relaxed); }

  // Runs what was pushed. If a function throws, the exception comes out, and the functions after it
  // are left to the next call.
  void run();

  // Destroys what was pushed without running it, and what destructors push meanwhile.
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

  post* left_ = nullptr;  // taken from pushed_, in the order of pushing

  // Other threads write these, so they have a cache line of their own (false sharing).
  alignas(64) std::atomic<post*> pushed_{nullptr};  // the newest first
  std::atomic<bool> asleep_{false};
};

}  // namespace fibers
