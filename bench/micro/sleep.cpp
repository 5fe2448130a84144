// sleep: timers that expire. Each sleeper sleeps again and again, for the row's number of
// milliseconds. The counters:
//
//     late_us             how late the sleeps ended: median
//     late_p99_us         how late the sleeps ended: 99th percentile
//     cpu_us              CPU time of the loop's thread per sleep
//     sleeps_per_second   by all sleepers together
//
// The times of a row itself are those of the whole run. 20,000 sleepers of 5 ms could complete
// 4,000,000 sleeps per second; a row with fewer shows a saturated loop. In such a row lateness is
// the length of the queue, and cpu_us is the CPU time of a sleep that never waits.
//
// sleep_busy and sleep_io measure the same beside other work: a task that is always ready and
// computes for 10 us per turn, or two ends of a socket that send each other one byte. The thread is
// always busy there, so cpu_us is left out; turns_per_second is the rate of the other work.
//
// The floor rows have one sleeper and no loop: they measure the kernel alone.
#include <fibers/local.hpp>
#include <fibers/scheduler.hpp>

#include <benchmark/benchmark.h>
#include <linux/io_uring.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bench/contract/descriptor.hpp>
#include <bench/floor/alarm.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <random>
#include <string>
#include <system_error>
#include <vector>

namespace {

using namespace std::chrono_literals;
using fibers::clock;

clock::duration cpu_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

double microseconds(clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

timespec to_timespec(clock::duration time) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(time);
  return {.tv_sec = whole.count(), .tv_nsec = (time - whole).count()};
}

// Collects the results of all sleepers of a row. Measuring begins one mean duration after all of
// them have started, and lasts for ten mean durations, at least 400 ms.
class sleep_meter {
 public:
  explicit sleep_meter(benchmark::State& state)
      : state_{state},
        sleepers_{static_cast<std::size_t>(state.range(0))},
        mean_{std::chrono::milliseconds{state.range(1)}} {
    // Durations vary by up to 10 %. A loop wakes all timers together that expired while it was
    // busy. If their next sleeps had equal lengths, they would stay together, and finally all
    // sleepers would wake at once.
    std::mt19937 generator{1};
    std::uniform_int_distribution<clock::rep> tenth{-mean_.count() / 10, mean_.count() / 10};
    for (auto& duration : durations_) duration = mean_ + clock::duration{tenth(generator)};
  }

  std::size_t sleepers() const { return sleepers_; }
  bool running() const { return running_; }

  // Spreads the first wake-ups evenly over one mean duration.
  clock::duration first_duration(std::size_t sleeper) const {
    return mean_ * static_cast<clock::rep>(sleeper) / static_cast<clock::rep>(sleepers_);
  }
  clock::duration next_duration() { return durations_[next_++ % durations_.size()]; }

  void begins(clock::time_point now) {
    if (++begun_ == sleepers_) begin_ = now + mean_;
  }
  void woke(clock::time_point now, clock::time_point due) {
    if (now < begin_ || !running_) return;
    if (sleeps_ == 0) start(now);
    lateness_[sleeps_++ % lateness_.size()] = now - due;
    if (now >= started_ + length_) stop(now);
  }
  void other_work_done() {
    if (running_) ++turns_;
  }

  void report(bool with_other_work) {
    const auto sleeps = static_cast<double>(sleeps_);
    const auto seconds = std::chrono::duration<double>(stopped_ - started_).count();
    state_.counters["late_us"] = late_us(0.5);
    state_.counters["late_p99_us"] = late_us(0.99);
    state_.counters["sleeps_per_second"] = sleeps / seconds;
    if (with_other_work) {
      state_.counters["turns_per_second"] = static_cast<double>(turns_) / seconds;
    } else {
      state_.counters["cpu_us"] = microseconds(cpu_) / sleeps;
    }
  }

 private:
  void start(clock::time_point now) {
    started_ = now;
    turns_ = 0;
    cpu_ = cpu_time();
  }
  void stop(clock::time_point now) {
    cpu_ = cpu_time() - cpu_;
    stopped_ = now;
    running_ = false;
  }
  double late_us(double share) {
    const auto kept = std::min(sleeps_, lateness_.size());
    const auto at = lateness_.begin() +
                    static_cast<std::ptrdiff_t>(share * static_cast<double>(kept - 1) + 0.5);
    std::nth_element(lateness_.begin(), at, lateness_.begin() + static_cast<std::ptrdiff_t>(kept));
    return microseconds(*at);
  }

  benchmark::State& state_;
  std::size_t sleepers_;
  clock::duration mean_;
  clock::duration length_ = std::max<clock::duration>(400ms, 10 * mean_);
  std::array<clock::duration, 1024> durations_;
  std::size_t next_ = 0;
  std::size_t begun_ = 0;
  clock::time_point begin_ = clock::time_point::max(), started_, stopped_;
  clock::duration cpu_{};
  bool running_ = true;
  std::size_t sleeps_ = 0;
  std::size_t turns_ = 0;
  // The latest 1,048,576 values. The vector is filled in advance, so that page faults are not
  // measured.
  std::vector<clock::duration> lateness_ = std::vector<clock::duration>(1 << 20);
};

enum class other_work { none, busy, io };

void compute() {
  const auto end = clock::now() + 10us;
  while (clock::now() < end) {
  }
}

std::array<int, 2> socket_ends() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw std::system_error{errno, std::system_category(), "socketpair"};
  }
  return ends;
}

// --- fibers ----------------------------------------------------------------------------------

void sleep_often(sleep_meter& meter, std::size_t sleeper) {
  fibers::this_fiber::sleep_for(meter.first_duration(sleeper));
  auto now = clock::now();
  meter.begins(now);
  while (meter.running()) {
    const auto duration = meter.next_duration();
    const auto due = now + duration;
    fibers::this_fiber::sleep_for(duration);
    now = clock::now();
    meter.woke(now, due);
  }
}

void spawn_busy(fibers::scheduler& scheduler, sleep_meter& meter) {
  scheduler.spawn("busy", [&] {
    while (meter.running()) {
      compute();
      meter.other_work_done();
      fibers::this_fiber::yield();
    }
  });
}

void spawn_io(fibers::scheduler& scheduler, sleep_meter& meter) {
  for (bool serves = true; const int end : socket_ends()) {
    scheduler.spawn("io", [&, serves, end] {
      auto stream = fibers::local::stream::from_descriptor(end);
      char byte = 0;
      boost::system::error_code error;
      if (serves) stream.write_some(boost::asio::buffer(&byte, 1), error);
      while (!error && meter.running()) {
        stream.read_some(boost::asio::buffer(&byte, 1), error);
        if (!error) stream.write_some(boost::asio::buffer(&byte, 1), error);
        meter.other_work_done();
      }
    });
    serves = false;
  }
}

void run_fibers(fibers::io backend, sleep_meter& meter, other_work beside) {
  fibers::scheduler scheduler{backend};
  for (std::size_t i = 0; i < meter.sleepers(); ++i) {
    scheduler.spawn("sleeper", [&meter, i] { sleep_often(meter, i); });
  }
  if (beside == other_work::busy) spawn_busy(scheduler, meter);
  if (beside == other_work::io) spawn_io(scheduler, meter);
  scheduler.run();
}

// --- Asio ------------------------------------------------------------------------------------

using executor = boost::asio::io_context::executor_type;

class asio_sleeper {
 public:
  asio_sleeper(boost::asio::io_context& io, sleep_meter& meter) : timer_{io}, meter_{meter} {}

  void start(std::size_t sleeper) {
    timer_.expires_after(meter_.first_duration(sleeper));
    timer_.async_wait([this](boost::system::error_code) { begin(); });
  }

 private:
  void begin() {
    const auto now = clock::now();
    meter_.begins(now);
    sleep(now);
  }
  void sleep(clock::time_point now) {
    const auto duration = meter_.next_duration();
    due_ = now + duration;
    timer_.expires_after(duration);
    timer_.async_wait([this](boost::system::error_code) { woke(); });
  }
  void woke() {
    const auto now = clock::now();
    meter_.woke(now, due_);
    if (meter_.running()) sleep(now);
  }

  boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, executor> timer_;
  sleep_meter& meter_;
  clock::time_point due_;
};

struct asio_busy {
  boost::asio::io_context& io;
  sleep_meter& meter;
  void operator()() const {
    if (!meter.running()) return;
    compute();
    meter.other_work_done();
    boost::asio::post(io, *this);
  }
};

class asio_end {
 public:
  asio_end(boost::asio::io_context& io, sleep_meter& meter, int descriptor)
      : socket_{io, boost::asio::local::stream_protocol{}, descriptor}, meter_{meter} {}

  void write() {
    socket_.async_write_some(boost::asio::buffer(&byte_, 1),
                             [this](boost::system::error_code error, std::size_t) {
                               if (!error) read();
                             });
  }
  void read() {
    socket_.async_read_some(boost::asio::buffer(&byte_, 1),
                            [this](boost::system::error_code error, std::size_t) {
                              if (error || !meter_.running()) return socket_.close();
                              meter_.other_work_done();
                              write();
                            });
  }

 private:
  boost::asio::basic_stream_socket<boost::asio::local::stream_protocol, executor> socket_;
  sleep_meter& meter_;
  char byte_ = 0;
};

void run_asio(sleep_meter& meter, other_work beside) {
  boost::asio::io_context io{1};
  std::list<asio_sleeper> sleepers;
  for (std::size_t i = 0; i < meter.sleepers(); ++i) sleepers.emplace_back(io, meter).start(i);
  if (beside == other_work::busy) boost::asio::post(io, asio_busy{io, meter});
  std::list<asio_end> ends;
  if (beside == other_work::io) {
    for (const int end : socket_ends()) ends.emplace_back(io, meter, end).read();
    ends.front().write();
  }
  io.run();
}

// --- the floor -------------------------------------------------------------------------------

template <class Sleep>
void run_floor(sleep_meter& meter, Sleep sleep) {
  auto now = clock::now();
  meter.begins(now);
  while (meter.running()) {
    const auto duration = meter.next_duration();
    const auto due = now + duration;
    sleep(duration);
    now = clock::now();
    meter.woke(now, due);
  }
}

void run_epoll_pwait2(sleep_meter& meter) {
  const bench::descriptor epoll{::epoll_create1(EPOLL_CLOEXEC)};
  run_floor(meter, [&](clock::duration duration) {
    epoll_event event{};
    const auto limit = to_timespec(duration);
    ::epoll_pwait2(epoll.get(), &event, 1, &limit, nullptr);
  });
}

void run_timerfd(sleep_meter& meter) {
  const bench::descriptor epoll{::epoll_create1(EPOLL_CLOEXEC)};
  bench::floor_alarm alarm;
  epoll_event event{};
  event.events = EPOLLIN;
  ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, alarm.descriptor(), &event);
  run_floor(meter, [&](clock::duration duration) {
    alarm.set(clock::now() + duration);
    ::epoll_wait(epoll.get(), &event, 1, -1);
    alarm.rang();
  });
}

void run_io_uring_enter(sleep_meter& meter) {
  io_uring_params parameters{};
  const bench::descriptor ring{static_cast<int>(::syscall(SYS_io_uring_setup, 8, &parameters))};
  if (!ring) throw std::system_error{errno, std::system_category(), "io_uring_setup"};
  run_floor(meter, [&](clock::duration duration) {
    const auto limit = to_timespec(duration);
    io_uring_getevents_arg waiting{};
    waiting.ts = reinterpret_cast<std::uintptr_t>(&limit);
    ::syscall(SYS_io_uring_enter, ring.get(), 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
              &waiting, sizeof waiting);
  });
}

// --- rows ------------------------------------------------------------------------------------

template <class Run>
benchmark::internal::Benchmark* add_row(const std::string& name, other_work beside, Run run) {
  return benchmark::RegisterBenchmark(
             name.c_str(),
             [run, beside](benchmark::State& state) {
               for (auto _ : state) {
                 sleep_meter meter{state};
                 try {
                   run(meter);
                 } catch (const std::exception& error) {  // for example: io_uring is forbidden here
                   return state.SkipWithError(error.what());
                 }
                 meter.report(beside != other_work::none);
               }
             })
      ->ArgNames({"sleepers", "ms"})
      ->Unit(benchmark::kMillisecond)
      ->Iterations(1);
}

// Adds a row per loop for one load, so that rows to be compared stand and run side by side.
void add_rows(const std::string& part, other_work beside, std::int64_t sleepers, std::int64_t ms) {
  for (const auto io :
       {fibers::io::select, fibers::io::poll, fibers::io::epoll, fibers::io::io_uring}) {
    add_row(part + "/fibers_" + std::string{fibers::name_of(io)}, beside, [=](sleep_meter& meter) {
      run_fibers(io, meter, beside);
    })->Args({sleepers, ms});
  }
  add_row(part + "/asio", beside, [=](sleep_meter& meter) {
    run_asio(meter, beside);
  })->Args({sleepers, ms});
}

const bool added = [] {
  for (const std::int64_t ms : {1, 5, 10, 100}) {
    add_row("sleep/floor_epoll_pwait2", other_work::none, run_epoll_pwait2)->Args({1, ms});
    add_row("sleep/floor_timerfd", other_work::none, run_timerfd)->Args({1, ms});
    add_row("sleep/floor_io_uring_enter", other_work::none, run_io_uring_enter)->Args({1, ms});
    add_rows("sleep", other_work::none, 1, ms);
    add_rows("sleep", other_work::none, 1'000, ms);
    add_rows("sleep", other_work::none, 20'000, ms);
  }
  for (const std::int64_t ms : {1, 10}) {
    for (const std::int64_t sleepers : {1, 1'000}) {
      add_rows("sleep_busy", other_work::busy, sleepers, ms);
      add_rows("sleep_io", other_work::io, sleepers, ms);
    }
  }
  return true;
}();

}  // namespace
