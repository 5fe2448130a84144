// The scheduler: run, stop and the destructor, and several schedulers on one thread.
#include <fibers/semaphore.hpp>

#include <boost/test/unit_test.hpp>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <tests/fibers/scheduler_fixture.hpp>

namespace {

// The loop takes every timer for that of a time_limit, and every operation for that of a fiber.
template <class Scheduler>
concept takes_any_timer = requires(Scheduler& scheduler, fibers::timer& own) {
  scheduler.timers().arm(own, {});
};
template <class Scheduler>
concept takes_any_operation = requires(Scheduler& scheduler, fibers::operation& own) {
  scheduler.blocking().reactor().submit(own);
};

// A reactor of the program's own that leaves out what has a default. If `late` is set, a cancelled
// receive is not given back but finishes with that byte.
class plain_reactor final : public fibers::reactor {
 public:
  explicit plain_reactor(char late = 0) : late_{late} {}

  fibers::io backend() const noexcept override { return fibers::io::automatic; }
  int adopt(int descriptor) noexcept override { return real_->adopt(descriptor); }
  void forget(int descriptor) noexcept override { real_->forget(descriptor); }
  void cancel_all(int descriptor) noexcept override { real_->cancel_all(descriptor); }
  bool submit(fibers::operation& started) override { return real_->submit(started); }
  bool cancel(fibers::operation& cancelled) noexcept override {
    if (late_ == 0) return real_->cancel(cancelled);
    finishing_ = &cancelled;
    return false;
  }
  void poll(time_point deadline, fibers::operation_list& finished) override {
    if (auto* done = std::exchange(finishing_, nullptr)) {
      real_->cancel(*done);
      *static_cast<char*>(done->data()) = late_;
      done->fail(0);
      done->finish(1);
      return finished.push_back(*done);
    }
    real_->poll(deadline, finished);
  }
  void abandon(fibers::operation_list& finished) noexcept override { real_->abandon(finished); }
  void interrupt() noexcept override { real_->interrupt(); }

 private:
  std::unique_ptr<fibers::reactor> real_ = fibers::make_reactor(fibers::io::epoll);
  char late_;
  fibers::operation* finishing_ = nullptr;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(running, scheduler_fixture)

BOOST_AUTO_TEST_CASE(timers_and_operations_that_its_loop_would_take_for_others_do_not_compile) {
  BOOST_TEST(!takes_any_timer<fibers::scheduler>);
  BOOST_TEST(!takes_any_operation<fibers::scheduler>);
  BOOST_TEST(scheduler.timers().empty());
}

BOOST_AUTO_TEST_CASE(it_is_what_was_asked_for) {
  BOOST_TEST(fibers::name_of(scheduler.backend()) == fibers::name_of(backend()));
}

BOOST_AUTO_TEST_CASE(run_returns_when_no_fiber_is_left) {
  scheduler.run();
  int ran = 0;
  scheduler.spawn([&] {
    ++ran;
    scheduler.spawn("child", [&] {
      this_fiber::sleep_for(1ms);
      ++ran;
    });
  });
  scheduler.run();
  BOOST_TEST(ran == 2);
}

BOOST_AUTO_TEST_CASE(a_fiber_takes_what_can_only_be_moved) {
  auto value = std::make_unique<int>(7);
  int seen = 0;
  scheduler.spawn([value = std::move(value), &seen] { seen = *value; });
  scheduler.run();
  BOOST_TEST(seen == 7);
}

BOOST_AUTO_TEST_CASE(exceptions_of_one_round_come_out_of_one_run_each) {
  for (int i = 0; i < 2; ++i) scheduler.spawn([] { throw std::runtime_error{"mine"}; });
  BOOST_CHECK_THROW(scheduler.run(), std::runtime_error);
  BOOST_CHECK_THROW(scheduler.run(), std::runtime_error);
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(an_exception_nobody_joins_comes_out_of_run_which_may_go_on) {
  bool finished = false;
  scheduler.spawn("fails", [] { throw std::runtime_error{"lost"}; });
  scheduler.spawn("goes on", [&] {
    this_fiber::sleep_for(5ms);
    finished = true;
  });
  BOOST_CHECK_EXCEPTION(scheduler.run(), std::runtime_error,
                        [](const auto& error) { return error.what() == std::string{"lost"}; });
  BOOST_TEST(!finished);
  scheduler.run();
  BOOST_TEST(finished);
}

BOOST_AUTO_TEST_CASE(stop_cancels_every_fiber) {
  int present = 0;
  connection silent;
  scheduler.spawn("reads", [&] {
    const guest me{present};
    silent.read();
  });
  scheduler.spawn("sleeps", [&] {
    const guest me{present};
    this_fiber::sleep_for(1h);
  });
  scheduler.spawn("yields", [&] {
    const guest me{present};
    for (;;) this_fiber::yield();
  });
  scheduler.spawn("stops", [&] {
    this_fiber::sleep_for(1ms);
    BOOST_TEST(present == 3);
    scheduler.stop();
  });
  scheduler.run();
  BOOST_TEST(present == 0);
}

BOOST_AUTO_TEST_CASE(a_swallowed_cancellation_comes_again_at_the_next_blocking_call) {
  int met = 0;
  auto fiber = scheduler.spawn("stubborn", [&] {
    for (int i = 0; i < 3; ++i) {
      try {
        this_fiber::sleep_for(1h);
      } catch (...) {
        ++met;
      }
    }
  });
  scheduler.spawn("canceller", [&] {
    this_fiber::yield();
    fiber.cancel();
  });
  scheduler.run();
  BOOST_TEST(met == 3);
}

BOOST_AUTO_TEST_CASE(a_fiber_that_swallows_its_cancellation_does_not_keep_the_others) {
  connection silent;
  connection busy;
  fibers::semaphore none{0};
  const std::function<void()> calls[] = {[] { this_fiber::yield(); },
                                         [] { this_fiber::sleep_for(1h); }, [&] { silent.read(); },
                                         [&] { none.acquire(); }};
  for (const auto& blocks : calls) {
    bool served = false;
    auto stubborn = scheduler.spawn("stubborn", [&] {
      const auto end =
          fibers::clock::now() + 5s;  // or the fact would not end where it does not hold
      while (!served && fibers::clock::now() < end) {
        try {
          blocks();
        } catch (...) {
        }
      }
      BOOST_TEST(served);
    });
    scheduler.spawn("others", [&] {
      stubborn.cancel();
      for (int i = 0; i < 3; ++i) {
        this_fiber::sleep_for(1ms);
        send_all(busy.far, "x");
        BOOST_TEST(busy.read() == 'x');
      }
      served = true;
    });
    scheduler.run();
  }
}

BOOST_AUTO_TEST_CASE(of_two_exceptions_in_one_round_each_comes_out_of_a_run) {
  scheduler.spawn([] { throw std::runtime_error{"first"}; });
  scheduler.spawn([] { throw std::logic_error{"second"}; });
  BOOST_CHECK_THROW(scheduler.run(), std::runtime_error);
  BOOST_CHECK_THROW(scheduler.run(), std::logic_error);
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_fiber_that_is_woken_for_nothing_waits_on) {
  int woken = 0;
  connection peers;
  auto waits = scheduler.spawn([&] {
    this_fiber::wait_readable(peers.far.get());
    ++woken;
  });
  auto reads = scheduler.spawn([&] {
    BOOST_TEST(peers.read() == 'x');
    ++woken;
  });
  scheduler.spawn([&] {
    for (int i = 0; i < 3; ++i) {
      this_fiber::yield();
      scheduler.tasks().wake(waits.record());
      scheduler.tasks().wake(reads.record());
    }
    this_fiber::sleep_for(1ms);
    BOOST_TEST(woken == 0);
    send_all(peers.far, "x");
    peers.stream.write_some(boost::asio::buffer("y", 1));
  });
  scheduler.run();
  BOOST_TEST(woken == 2);
}

// No fiber is left, and the loop waits until the peer has taken what was sent.
BOOST_AUTO_TEST_CASE(a_post_that_comes_while_sent_bytes_leave_is_run) {
  if (backend() != fibers::io::io_uring) return;  // the others leave the bytes to the kernel
  connection peers;
  std::size_t size = 0;
  scheduler.spawn([&] {
    size = fill(descriptor{::dup(peers.stream.native_handle())});
    peers.stream.write_some(boost::asio::buffer("x", 1));
  });
  bool posted = false, spawned = false;
  std::jthread other{[&] {
    std::this_thread::sleep_for(50ms);
    scheduler.post([&] {
      posted = true;
      scheduler.spawn([&] { spawned = true; });
    });
    while (!peers.stream.is_open()) std::this_thread::yield();
    std::this_thread::sleep_for(50ms);
    receive_all(peers.far, size);
  }};
  scheduler.run();
  BOOST_TEST(posted);
  BOOST_TEST(spawned);
  other.join();
  BOOST_TEST(receive_all(peers.far, 1) == "x");
}

BOOST_AUTO_TEST_CASE(a_reactor_of_the_programs_own_may_leave_out_what_has_a_default) {
  fibers::scheduler own{std::make_unique<plain_reactor>()};
  own.spawn([] {
    connection peers;
    peers.stream.write_some(boost::asio::buffer("x", 1));
    peers.stream.shutdown(boost::asio::socket_base::shutdown_send);
    BOOST_TEST(receive_all(peers.far, 2) == "x");
    peers.far = descriptor{};
    char byte = 0;
    boost::system::error_code error;
    BOOST_TEST(peers.stream.read_some(boost::asio::buffer(&byte, 1), error) == 0U);
    BOOST_TEST(error == boost::asio::error::eof);
  });
  own.run();
}

BOOST_AUTO_TEST_CASE(a_read_that_finishes_while_it_is_given_up_has_its_bytes) {
  fibers::scheduler own{std::make_unique<plain_reactor>('y')};
  own.spawn([] {
    connection peers;
    peers.stream.expires_after(1ms);
    BOOST_TEST(peers.read() == 'y');
  });
  own.run();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(several)

BOOST_AUTO_TEST_CASE(the_destructor_unwinds_what_waits) {
  int present = 0;
  {
    fibers::scheduler scheduler{backend()};
    connection silent;
    fibers::tcp::listener listener{"127.0.0.1", 0};
    scheduler.spawn("reads", [&] {
      const guest me{present};
      silent.read();
    });
    scheduler.spawn("accepts", [&] {
      const guest me{present};
      listener.accept();
    });
    scheduler.spawn("sleeps", [&] {
      const guest me{present};
      this_fiber::sleep_for(1h);
    });
    scheduler.spawn("parks", [&] {
      const guest me{present};
      scheduler.tasks().park();
      scheduler.tasks().check_cancelled();
      BOOST_ERROR("nobody wakes this fiber");
    });
    scheduler.spawn("fails", [] { throw std::runtime_error{"leave run()"}; });
    BOOST_CHECK_THROW(scheduler.run(), std::runtime_error);
    BOOST_TEST(present == 4);
    scheduler.spawn("never begins", [&] { BOOST_ERROR("it was cancelled before"); });
    scheduler.stop();
    scheduler.spawn("unwinds slowly", [&] {
      const guest me{present};
      try {
        this_fiber::sleep_for(1h);
      } catch (...) {
        scheduler.spawn("late", [&] { const guest too{present}; });
        throw;
      }
    });
    scheduler.tasks().run_round();
  }
  BOOST_TEST(present == 0);
}

BOOST_AUTO_TEST_CASE(current_is_the_innermost_and_the_outer_one_again_afterwards) {
  BOOST_CHECK_THROW(fibers::scheduler::current(), std::logic_error);
  fibers::scheduler outer{backend()};
  outer.spawn([&] {
    BOOST_TEST(&fibers::scheduler::current() == &outer);
    {
      fibers::scheduler inner{backend()};
      inner.spawn([&] {
        BOOST_TEST(&fibers::scheduler::current() == &inner);
        this_fiber::sleep_for(1ms);
      });
      inner.run();
    }
    BOOST_TEST(&fibers::scheduler::current() == &outer);
    this_fiber::sleep_for(1ms);
  });
  outer.run();
  BOOST_TEST(&fibers::scheduler::current() == &outer);
}

BOOST_AUTO_TEST_CASE(one_that_a_fiber_makes_is_not_current_before_it_runs) {
  fibers::scheduler outer{backend()};
  outer.spawn([&] {
    const fibers::scheduler inner{backend()};
    BOOST_TEST(&fibers::scheduler::current() == &outer);
    this_fiber::sleep_for(1ms);
  });
  outer.spawn([&] { BOOST_CHECK_NO_THROW(this_fiber::yield()); });
  outer.run();
}

BOOST_AUTO_TEST_CASE(one_that_dies_while_another_runs_is_never_current_again) {
  fibers::scheduler first{backend()};
  auto second = std::make_unique<fibers::scheduler>(backend());
  first.spawn([&] { second.reset(); });
  first.run();
  BOOST_TEST(&fibers::scheduler::current() == &first);
}

BOOST_AUTO_TEST_CASE(what_belongs_to_the_outer_one_cannot_block_a_fiber_of_the_inner) {
  fibers::scheduler outer{backend()};
  connection silent;
  outer.spawn("outer", [&] {
    fibers::scheduler inner{backend()};
    inner.spawn("inner", [&] { BOOST_CHECK_THROW(silent.read(), std::logic_error); });
    inner.run();
    BOOST_TEST(this_fiber::get_name() == "outer");
  });
  outer.run();
}

BOOST_AUTO_TEST_CASE(fibers_of_two_schedulers_find_their_own) {
  auto first = std::make_unique<fibers::scheduler>(backend());
  auto second = std::make_unique<fibers::scheduler>(backend());
  for (auto* each : {first.get(), second.get(), first.get()}) {
    bool slept = false;
    each->spawn([&] {
      BOOST_TEST(&fibers::scheduler::current() == each);
      this_fiber::sleep_for(1ms);
      slept = true;
    });
    each->run();
    BOOST_TEST(slept);
  }
  BOOST_TEST(&fibers::scheduler::current() == second.get());
  first.reset();
  BOOST_TEST(&fibers::scheduler::current() == second.get());
  second.reset();
  BOOST_CHECK_THROW(fibers::scheduler::current(), std::logic_error);
}

BOOST_AUTO_TEST_SUITE_END()
