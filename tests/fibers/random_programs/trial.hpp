// trial: runs one program and checks what must hold, whatever its fibers do to each other.
//
//     const auto outcome = try_out(program, std::nullopt);   // in a simulation
//     const auto outcome = try_out(program, fibers::io::epoll);
//     outcome.wrong          // what did not hold, in words
//
// The model is a book: what was pushed, popped, written and read, which fiber has a lock, which was
// cancelled and when, and at which times something was due. In a simulation it also holds that each
// wait ends at exactly its time, and that time moves only to moments at which something is due.
#pragma once

#include <fibers/channel.hpp>
#include <fibers/condition_variable.hpp>
#include <fibers/generator.hpp>
#include <fibers/local.hpp>
#include <fibers/mutex.hpp>
#include <fibers/nursery.hpp>
#include <fibers/semaphore.hpp>
#include <fibers/test.hpp>
#include <fibers/wait_group.hpp>

#include <array>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tests/fibers/random_programs/program.hpp>

namespace random_programs {

struct outcome {
  std::vector<std::string> wrong;
  fibers::clock::duration elapsed{};
  std::uint64_t polls = 0;  // in a simulation
};

// `backend`: a real reactor, in real time; none: a simulation.
outcome try_out(const program& tried, std::optional<fibers::io> backend);

class trial {
 public:
  trial(const program& tried, std::optional<fibers::io> backend);
  outcome run();

 private:
  using time_point = fibers::clock::time_point;
  using duration = fibers::clock::duration;

  // What the program's `fail` throws.
  struct failure {
    int fiber;
  };

  // How a fiber ended.
  enum class ending { none, value, failed, cancelled };

  struct fiber_book {
    fibers::fiber* running = nullptr;
    fibers::fiber_handle<int> handle;
    bool spawned = false, joined = false;
    ending ended = ending::none;
    std::optional<time_point> cancelled;  // when that was requested first
    int joining = 0;                      // fibers that wait for its end
    int parent = -1;                      // whose nursery it belongs to
  };
  struct channel_book {
    using entry = std::pair<int, int>;  // when the call began, as a ticket, and the value
    std::vector<entry> pushed, popped;  // by calls that have succeeded
    int pushing = 0, popping = 0;       // fibers
  };
  struct end_book {
    fibers::tcp::stream stream;
    std::size_t written = 0, read = 0, sending = 0;
    std::optional<time_point> limit;
    bool reading = false, writing = false;
    bool refuses = false;   // it was shut down before the write began
    int shutting_down = 0;  // fibers: that counts as writing
    bool shut = false, closed = false, timed_out = false, found_end = false;
    int aborts = 0;
  };

  // While it exists, a fiber is in a call that a cancellation ends at once, and `inside` counts it.
  class in_call {
   public:
    in_call(trial& of, int fiber, int& inside)
        : trial_{of}, fiber_{fiber}, inside_{inside}, begin{fibers::clock::now()} {
      ++inside_;
    }
    in_call(trial& of, int fiber) : in_call{of, fiber, of.elsewhere_} {}
    in_call(const in_call&) = delete;
    in_call& operator=(const in_call&) = delete;
    ~in_call() {
      --inside_;
      trial_.call_ends(fiber_, begin);
    }

   private:
    trial& trial_;
    int fiber_;
    int& inside_;

   public:
    const time_point begin;
  };

  // Destroyed with the body of a fiber, also of one that was cancelled before it ran.
  class life {
   public:
    life(trial& of, int fiber) noexcept : trial_{&of}, fiber_{fiber} {}
    life(life&& other) noexcept
        : trial_{std::exchange(other.trial_, nullptr)}, fiber_{other.fiber_} {}
    ~life() {
      if (trial_ != nullptr) trial_->fiber_ends(fiber_);
    }
    int operator()() const { return trial_->body(fiber_); }

   private:
    trial* trial_;
    int fiber_;
  };

  void complain(const std::string& what);
  void expect(bool held, const char* what, int fiber);
  bool simulated() const noexcept { return world_ != nullptr; }
  duration units(int count) const { return count * unit_; }
  fiber_book& book_of(int fiber) { return fibers_[static_cast<std::size_t>(fiber)]; }
  void note_due(time_point moment);
  void call_ends(int fiber, time_point begin);
  void expect_due(int fiber, time_point begin, int amount);

  // Fibers: trial.cpp.
  void start();
  void start(int fiber);
  int body(int fiber);
  void fiber_ends(int fiber);
  bool may_be_cancelled(int fiber);
  void request_cancel(int fiber);
  void cancel(int fiber);
  void perform(int self, const action& done);
  bool perform_on_fibers(int self, const action& done);
  void join(int self, int other);
  void join_for(int self, int other, int amount);
  void take_result(int fiber);
  void group(int self, const action& done);
  void sleep(int self, int amount);
  void generate(int self, int amount);
  void post();
  void supervise();
  std::string neglected();
  void check_end();

  // Waiting for each other: trial_waiting.cpp.
  bool perform_on_channel(int self, const action& done);
  bool perform_on_lock(int self, const action& done);
  bool perform_on_counts(int self, const action& done);
  void push(int self, const action& done);
  void pop(int self, const action& done);
  void lock(int self, const action& done);
  void hold(int self, int mutex, int ticket, int amount);
  void acquire(int self, const action& done);
  void await(int self, const action& done);
  std::string neglected_waits();
  void check_channels();

  // Streams: trial_streams.cpp.
  bool perform_on_stream(int self, const action& done);
  end_book& end_at(int index) { return ends_[static_cast<std::size_t>(index)]; }
  void open_streams();
  std::size_t write(int self, int end, std::size_t size);
  void read(int self, int end, std::size_t size);
  void check_error(int self, int end, const fibers::error_code& error, time_point begin,
                   int aborts);
  void check_timeout(int self, const fibers::error_code& error, time_point begin, int amount);
  void accept(int self, int amount);
  void connect(int self, int amount);
  std::string neglected_streams();
  void check_streams();
  void close_streams();

  const program& program_;
  std::optional<fibers::io> backend_;
  duration unit_;
  outcome outcome_;
  std::unique_ptr<fibers::test::simulation> world_;
  std::unique_ptr<fibers::scheduler> own_;
  fibers::scheduler* scheduler_;
  time_point begin_, last_due_;
  int alive_ = 0, tickets_ = 0, posted_ = 0, ran_ = 0, elsewhere_ = 0;
  fibers::wait_group everyone_;

  std::vector<fiber_book> fibers_;
  std::array<fibers::channel<int>, channels> channels_{fibers::channel<int>{capacities[0]},
                                                       fibers::channel<int>{capacities[1]},
                                                       fibers::channel<int>{capacities[2]}};
  std::array<channel_book, channels> channel_books_;
  std::array<fibers::mutex, mutexes> mutexes_;
  std::array<int, mutexes> owners_{}, last_tickets_{}, locking_{};
  std::array<fibers::semaphore, semaphores> semaphores_{fibers::semaphore{permits[0]},
                                                        fibers::semaphore{permits[1]}};
  std::array<std::size_t, semaphores> inside_{};
  std::array<int, semaphores> acquiring_{};
  std::array<fibers::wait_group, groups> groups_;
  std::array<int, groups> zeros_{};  // how often nothing was expected any more
  std::array<int, groups> waiting_{};
  std::array<fibers::condition_variable, conditions> conditions_;
  std::array<fibers::mutex, conditions> doors_;
  std::array<int, conditions> behind_door_{};
  std::array<end_book, ends> ends_;
  std::array<bool, ends / 2> broken_{};  // a fault has ended the stream
  fibers::local::listener listener_;
  std::string name_;
  bool accepting_ = false;
  std::vector<unsigned char> asked_;
};

}  // namespace random_programs
