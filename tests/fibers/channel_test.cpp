#include <fibers/channel.hpp>

#include <tests/fibers/fiber_worlds.hpp>

#include <boost/test/unit_test.hpp>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using fibers::cancelled;
using fibers::channel;
using fibers::channel_status;
using fibers::task_queue;

// Every member compiles also for what cannot be copied.
template class fibers::channel<std::unique_ptr<int>>;
template class fibers::channel<int>;

namespace {

// Throws when it is moved, once, at a chosen move. Counts the objects that exist.
class brittle {
 public:
  explicit brittle(int number) : value{number} { ++alive; }
  brittle(brittle&& other) : value{other.value} {
    if (moves_to_fail > 0 && --moves_to_fail == 0) throw std::runtime_error{"broken"};
    ++alive;
  }
  ~brittle() { --alive; }

  int value;

  static inline int moves_to_fail = 0;  // the move with this number fails; 0: none does
  static inline int alive = 0;
};

}  // namespace

static_assert(std::input_iterator<channel<int>::iterator>);
static_assert(std::ranges::input_range<channel<std::unique_ptr<int>>>);

// --- values ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(values_come_out_in_the_order_they_went_in) {
  for (const auto capacity : {0U, 1U, 3U, 100U}) {
    BOOST_TEST_CONTEXT("capacity " << capacity) {
      in_task_queue([&](task_queue& tasks) {
        channel<int> numbers{capacity};
        tasks.spawn("producer", [&] {
          for (int n = 0; n < 50; ++n) BOOST_TEST(numbers.push(n));
          numbers.close();
        });
        int expected = 0;
        for (const int n : numbers) BOOST_TEST(n == expected++);
        BOOST_TEST(expected == 50);
      });
    }
  }
}

BOOST_AUTO_TEST_CASE(a_push_waits_while_the_channel_is_full) {
  in_task_queue([](task_queue& tasks) {
    channel<int> numbers{2};
    int pushed = 0;
    auto producer = tasks.spawn("producer", [&] {
      for (; pushed < 4; ++pushed) numbers.push(pushed);
    });
    tasks.yield();
    BOOST_TEST(pushed == 2);
    BOOST_TEST(numbers.size() == 2u);
    BOOST_TEST(numbers.capacity() == 2u);
    BOOST_TEST(*numbers.pop() == 0);
    tasks.yield();
    BOOST_TEST(pushed == 3);
    BOOST_TEST(numbers.size() == 2u);
    for (const int expected : {1, 2, 3}) BOOST_TEST(*numbers.pop() == expected);
    producer.join();
  });
}

BOOST_AUTO_TEST_CASE(without_capacity_a_push_waits_for_its_pop) {
  std::string diary;
  in_task_queue([&](task_queue& tasks) {
    channel<int> numbers;
    auto producer = tasks.spawn("producer", [&] {
      numbers.push(1);
      diary += "pushed ";
    });
    tasks.yield();
    BOOST_TEST(diary == "");
    diary += "popped" + std::to_string(*numbers.pop()) + ' ';
    producer.join();
  });
  BOOST_TEST(diary == "popped1 pushed ");
}

BOOST_AUTO_TEST_CASE(a_value_goes_to_who_has_waited_longest_and_cannot_be_overtaken) {
  in_task_queue([](task_queue& tasks) {
    channel<int> numbers{1};
    auto first = tasks.spawn("first", [&] { return *numbers.pop(); });
    auto second = tasks.spawn("second", [&] { return *numbers.pop(); });
    tasks.yield();
    numbers.push(1);
    numbers.push(2);
    BOOST_TEST(!numbers.try_pop().has_value());
    BOOST_TEST(first.join() == 1);
    BOOST_TEST(second.join() == 2);
  });
}

BOOST_AUTO_TEST_CASE(values_that_can_only_be_moved_are_moved) {
  in_task_queue([](task_queue& tasks) {
    for (const auto capacity : {0U, 1U}) {
      channel<std::unique_ptr<int>> boxes{capacity};
      tasks.spawn("producer", [&] {
        boxes.push(std::make_unique<int>(1));
        auto second = std::make_unique<int>(2);
        boxes.push(std::move(second));
        boxes.push(std::make_unique<int>(3));
        boxes.close();
      });
      int sum = **boxes.pop();
      for (auto& box : boxes) sum = sum * 10 + *std::exchange(box, nullptr);
      BOOST_TEST(sum == 123);
    }
  });
}

BOOST_AUTO_TEST_CASE(many_producers_and_consumers_lose_and_double_nothing) {
  in_task_queue([](task_queue& tasks) {
    channel<int> numbers{3};
    std::vector<fibers::fiber_handle<void>> producers;
    for (int p = 0; p < 7; ++p) {
      producers.push_back(tasks.spawn("producer", [&, p] {
        for (int i = 0; i < 100; ++i) numbers.push(p * 100 + i);
      }));
    }
    std::vector<int> seen(700);
    std::vector<fibers::fiber_handle<void>> consumers;
    for (int c = 0; c < 5; ++c) {
      consumers.push_back(tasks.spawn("consumer", [&] {
        for (const int n : numbers) ++seen[static_cast<std::size_t>(n)];
      }));
    }
    for (auto& each : producers) each.join();
    numbers.close();
    for (auto& each : consumers) each.join();
    BOOST_TEST(seen == std::vector<int>(700, 1), boost::test_tools::per_element());
  });
}

BOOST_AUTO_TEST_CASE(a_producer_that_never_waits_gives_way_now_and_then) {
  in_task_queue([](task_queue& tasks) {
    channel<int> numbers{10'000};
    std::size_t when_other_ran = 0;
    auto other = tasks.spawn("other", [&] { when_other_ran = numbers.size(); });
    for (int i = 0; i < 10'000; ++i) numbers.push(i);
    other.join();
    BOOST_TEST(when_other_ran > 0u);
    BOOST_TEST(when_other_ran < 100u);
  });
}

BOOST_AUTO_TEST_CASE(trying_does_not_wait_and_needs_no_fiber) {
  channel<std::unique_ptr<int>> boxes{1};
  BOOST_TEST(!boxes.try_pop().has_value());
  auto first = std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  BOOST_TEST(boxes.try_push(std::move(first)));
  BOOST_TEST(!boxes.try_push(std::move(second)));
  BOOST_TEST((second != nullptr));
  BOOST_TEST(**boxes.try_pop() == 1);
  BOOST_TEST(boxes.try_push(std::move(second)));
}

BOOST_AUTO_TEST_CASE(without_capacity_trying_succeeds_when_somebody_waits) {
  in_task_queue([](task_queue& tasks) {
    channel<int> numbers;
    BOOST_TEST(!numbers.try_push(1));
    BOOST_TEST(!numbers.try_pop().has_value());
    auto consumer = tasks.spawn("consumer", [&] { return *numbers.pop(); });
    tasks.yield();
    BOOST_TEST(numbers.try_push(2));
    BOOST_TEST(!numbers.try_push(3));
    BOOST_TEST(consumer.join() == 2);
    auto producer = tasks.spawn("producer", [&] { numbers.push(4); });
    tasks.yield();
    BOOST_TEST(*numbers.try_pop() == 4);
    producer.join();
  });
}

// --- close -----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_closed_channel_takes_nothing_and_gives_what_it_has) {
  in_task_queue([](task_queue&) {
    channel<int> numbers{3};
    numbers.push(1);
    numbers.push(2);
    numbers.close();
    numbers.close();
    BOOST_TEST(numbers.closed());
    BOOST_TEST(!numbers.push(3));
    BOOST_TEST(!numbers.try_push(3));
    BOOST_TEST(*numbers.pop() == 1);
    BOOST_TEST(*numbers.try_pop() == 2);
    BOOST_TEST(!numbers.pop().has_value());
    BOOST_TEST(!numbers.try_pop().has_value());
    for (const int n : numbers) BOOST_ERROR("a value: " << n);
  });
}

BOOST_AUTO_TEST_CASE(closing_wakes_all_who_wait_to_pop) {
  in_task_queue([](task_queue& tasks) {
    channel<int> numbers{1};
    auto first = tasks.spawn("first", [&] { return numbers.pop(); });
    auto second = tasks.spawn("second", [&] { return numbers.pop(); });
    tasks.yield();
    numbers.close();
    BOOST_TEST(!first.join().has_value());
    BOOST_TEST(!second.join().has_value());
  });
}

BOOST_AUTO_TEST_CASE(closing_tells_those_who_wait_to_push_who_keep_their_values) {
  in_task_queue([](task_queue& tasks) {
    channel<std::unique_ptr<int>> boxes;
    auto box = std::make_unique<int>(1);
    auto producer = tasks.spawn("producer", [&] { return boxes.push(std::move(box)); });
    tasks.yield();
    boxes.close();
    BOOST_TEST(!producer.join());
    BOOST_TEST((box != nullptr));
  });
}

// --- cancel ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_fiber_that_is_cancelled_while_it_waits_to_pop_takes_nothing) {
  in_task_queue([](task_queue& tasks) {
    channel<int> numbers;
    auto first = tasks.spawn("first", [&] { return *numbers.pop(); });
    auto second = tasks.spawn("second", [&] { return *numbers.pop(); });
    tasks.yield();
    first.cancel();
    numbers.push(1);
    BOOST_CHECK_THROW(first.join(), cancelled);
    BOOST_TEST(second.join() == 1);
  });
}

BOOST_AUTO_TEST_CASE(a_fiber_that_is_cancelled_while_it_waits_to_push_keeps_its_value) {
  in_task_queue([](task_queue& tasks) {
    channel<std::unique_ptr<int>> boxes{1};
    boxes.push(std::make_unique<int>(0));
    auto first_box = std::make_unique<int>(1);
    auto first = tasks.spawn("first", [&] { boxes.push(std::move(first_box)); });
    auto second = tasks.spawn("second", [&] { boxes.push(std::make_unique<int>(2)); });
    tasks.yield();
    first.cancel();
    BOOST_CHECK_THROW(first.join(), cancelled);
    BOOST_TEST((first_box != nullptr));
    BOOST_TEST(**boxes.pop() == 0);
    BOOST_TEST(**boxes.pop() == 2);
    second.join();
  });
}

BOOST_AUTO_TEST_CASE(a_fiber_that_is_cancelled_after_it_was_handed_a_value_has_it) {
  in_task_queue([](task_queue& tasks) {
    channel<int> numbers;
    int seen = 0;
    auto consumer = tasks.spawn("consumer", [&] {
      seen = *numbers.pop();
      numbers.pop();
    });
    tasks.yield();
    BOOST_TEST(numbers.push(1));
    consumer.cancel();
    BOOST_CHECK_THROW(consumer.join(), cancelled);
    BOOST_TEST(seen == 1);
  });
}

BOOST_AUTO_TEST_CASE(a_fiber_that_is_cancelled_after_its_value_was_taken_has_pushed_it) {
  in_task_queue([](task_queue& tasks) {
    channel<int> numbers;
    bool pushed = false;
    auto producer = tasks.spawn("producer", [&] { pushed = numbers.push(1); });
    tasks.yield();
    BOOST_TEST(*numbers.pop() == 1);
    producer.cancel();
    producer.join();
    BOOST_TEST(pushed);
  });
}

BOOST_AUTO_TEST_CASE(a_cancelled_fiber_neither_pushes_nor_pops) {
  in_task_queue([](task_queue& tasks) {
    channel<int> numbers{2};
    numbers.push(1);
    auto stubborn = tasks.spawn("stubborn", [&] {
      tasks.park();
      BOOST_CHECK_THROW(numbers.push(2), cancelled);
      BOOST_CHECK_THROW(numbers.pop(), cancelled);
    });
    tasks.yield();
    stubborn.cancel();
    stubborn.join();
    BOOST_TEST(numbers.size() == 1u);
  });
}

// --- deadlines -------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_deadline_ends_waiting_to_pop) {
  in_timed_queue([](task_queue& tasks) {
    channel<int> numbers;
    const auto start = fibers::clock::now();
    const auto nothing = numbers.pop_for(10ms);
    BOOST_TEST(!nothing.has_value());
    BOOST_TEST((nothing.status() == channel_status::timeout));
    BOOST_TEST((fibers::clock::now() - start >= 10ms));
    BOOST_TEST(!numbers.try_push(1));
    auto patient = tasks.spawn("patient", [&] { return *numbers.pop_for(patience); });
    sleep_for(tasks, 1ms);
    BOOST_TEST(numbers.push(2));
    BOOST_TEST(patient.join() == 2);
  });
}

BOOST_AUTO_TEST_CASE(a_deadline_ends_waiting_to_push_and_the_value_stays) {
  in_timed_queue([](task_queue& tasks) {
    channel<std::unique_ptr<int>> boxes;
    auto box = std::make_unique<int>(1);
    const auto start = fibers::clock::now();
    BOOST_TEST((boxes.push_for(std::move(box), 10ms) == channel_status::timeout));
    BOOST_TEST((fibers::clock::now() - start >= 10ms));
    BOOST_TEST((box != nullptr));
    BOOST_TEST(!boxes.try_pop().has_value());
    auto patient = tasks.spawn("patient", [&] { return boxes.push_for(std::move(box), patience); });
    sleep_for(tasks, 1ms);
    BOOST_TEST(**boxes.pop() == 1);
    BOOST_TEST((patient.join() == channel_status::done));
  });
}

BOOST_AUTO_TEST_CASE(a_call_with_a_deadline_tells_closed_from_too_late) {
  in_timed_queue([](task_queue& tasks) {
    channel<int> numbers{1};
    BOOST_TEST((numbers.push_for(1, patience) == channel_status::done));
    BOOST_TEST((numbers.push_for(2, 1ms) == channel_status::timeout));
    auto pusher = tasks.spawn("pusher", [&] { return numbers.push_for(3, patience); });
    sleep_for(tasks, 1ms);
    numbers.close();
    BOOST_TEST((pusher.join() == channel_status::closed));
    BOOST_TEST((numbers.push_for(4, patience) == channel_status::closed));
    const auto left = numbers.pop_for(patience);
    BOOST_TEST(*left == 1);
    BOOST_TEST((left.status() == channel_status::done));
    BOOST_TEST((numbers.pop_for(patience).status() == channel_status::closed));
    BOOST_TEST((numbers.pop_until(fibers::clock::now()).status() == channel_status::closed));
  });
}

BOOST_AUTO_TEST_CASE(a_close_ends_a_pop_before_its_deadline) {
  in_timed_queue([](task_queue& tasks) {
    channel<int> numbers;
    auto popper = tasks.spawn("popper", [&] { return numbers.pop_for(patience).status(); });
    sleep_for(tasks, 1ms);
    numbers.close();
    BOOST_TEST((popper.join() == channel_status::closed));
  });
}

// --- values whose move throws ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_push_that_cannot_move_its_value_throws_and_leaves_the_channel) {
  in_task_queue([](task_queue& tasks) {
    channel<brittle> values{1};
    brittle::moves_to_fail = 1;
    BOOST_CHECK_THROW(values.push(brittle{1}), std::runtime_error);
    BOOST_TEST(values.size() == 0u);

    auto consumer = tasks.spawn("consumer", [&] { return values.pop()->value; });
    tasks.yield();
    brittle::moves_to_fail = 1;
    BOOST_CHECK_THROW(values.push(brittle{2}), std::runtime_error);
    BOOST_TEST(values.push(brittle{3}));
    BOOST_TEST(consumer.join() == 3);
  });
  BOOST_TEST(brittle::alive == 0);
}

BOOST_AUTO_TEST_CASE(a_pop_that_cannot_move_the_value_throws_and_leaves_it) {
  in_task_queue([](task_queue& tasks) {
    for (const auto capacity : {0U, 1U}) {
      channel<brittle> values{capacity};
      auto producer = tasks.spawn("producer", [&] { values.push(brittle{1}); });
      tasks.yield();
      brittle::moves_to_fail = 1;
      BOOST_CHECK_THROW(values.pop(), std::runtime_error);
      BOOST_TEST(values.pop()->value == 1);
      producer.join();
    }
  });
  BOOST_TEST(brittle::alive == 0);
}

BOOST_AUTO_TEST_CASE(a_move_that_fails_for_who_waits_to_push_is_heard_there) {
  in_task_queue([](task_queue& tasks) {
    channel<brittle> values{1};
    values.push(brittle{1});
    auto unlucky = tasks.spawn("unlucky", [&] { values.push(brittle{2}); });
    auto next = tasks.spawn("next", [&] { values.push(brittle{3}); });
    tasks.yield();
    brittle::moves_to_fail = 2;  // the first is out of the channel, the second into it
    BOOST_TEST(values.pop()->value == 1);
    BOOST_CHECK_THROW(unlucky.join(), std::runtime_error);
    next.join();
    BOOST_TEST(values.pop()->value == 3);
  });
  BOOST_TEST(brittle::alive == 0);
}

BOOST_AUTO_TEST_CASE(an_iterator_that_is_incremented_after_its_use_is_at_the_next_item) {
  in_task_queue([](task_queue&) {
    channel<int> numbers{2};
    numbers.push(1);
    numbers.push(2);
    numbers.close();
    auto at = numbers.begin();
    BOOST_TEST(*at == 1);
    at++;
    BOOST_TEST(*at == 2);
    at++;
    BOOST_TEST((at == numbers.end()));
  });
}
