#include <fibers/coroutine.hpp>

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using fibers::cancelled;
using fibers::coroutine;

namespace {

// Appends its name to the diary when it is destroyed.
class witness {
 public:
  witness(std::string& diary, char name) : diary_{&diary}, name_{name} {}
  witness(witness&& other) noexcept : diary_{other.diary_}, name_{other.name_} {
    other.diary_ = nullptr;
  }
  ~witness() {
    if (diary_ != nullptr) *diary_ += name_;
  }

 private:
  std::string* diary_;
  char name_;
};

void suspend_at_depth(coroutine& self, int depth) {
  if (depth == 0) return self.suspend();
  suspend_at_depth(self, depth - 1);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_body_stops_in_the_middle_and_goes_on) {
  std::string diary;
  coroutine greet{[&](coroutine& self) {
    diary += "hello ";
    self.suspend();
    diary += "again";
  }};
  BOOST_TEST(diary == "");
  greet.resume();
  BOOST_TEST(diary == "hello ");
  BOOST_TEST(!greet.done());
  greet.resume();
  BOOST_TEST(diary == "hello again");
  BOOST_TEST(greet.done());
}

BOOST_AUTO_TEST_CASE(a_body_runs_on_the_stack_of_its_coroutine) {
  const std::byte* inside = nullptr;
  coroutine body{[&](coroutine&) {
    std::byte local{};
    inside = &local;
  }};
  body.resume();
  BOOST_TEST(std::greater_equal<>{}(inside, body.memory().bottom()));
  BOOST_TEST(std::less<>{}(inside, body.memory().top()));
}

BOOST_AUTO_TEST_CASE(a_body_suspends_from_any_depth_of_calls) {
  coroutine deep{[](coroutine& self) { suspend_at_depth(self, 100); }};
  deep.resume();
  BOOST_TEST(!deep.done());
  deep.resume();
  BOOST_TEST(deep.done());
}

BOOST_AUTO_TEST_CASE(a_body_may_own_what_can_only_be_moved) {
  int seen = 0;
  coroutine owner{[&seen, value = std::make_unique<int>(7)](coroutine&) { seen = *value; }};
  owner.resume();
  BOOST_TEST(seen == 7);
}

BOOST_AUTO_TEST_CASE(a_captured_variable_keeps_its_alignment) {
  struct alignas(64) wide {
    int value = 3;
  };
  std::uintptr_t address = 1;
  coroutine body{
      [wide = wide{}, &address](coroutine&) { address = reinterpret_cast<std::uintptr_t>(&wide); }};
  body.resume();
  BOOST_TEST(address % 64 == 0u);
}

BOOST_AUTO_TEST_CASE(what_a_body_captured_is_destroyed_when_it_ends) {
  std::string diary;
  coroutine body{[held = witness{diary, 'c'}](coroutine& self) { self.suspend(); }};
  body.resume();
  BOOST_TEST(diary == "");
  body.resume();
  BOOST_TEST(diary == "c");
}

BOOST_AUTO_TEST_CASE(coroutines_nest) {
  std::string diary;
  coroutine outer{[&](coroutine& self) {
    coroutine inner{[&](coroutine& inner_self) {
      diary += 'a';
      inner_self.suspend();
      diary += 'c';
    }};
    inner.resume();
    diary += 'b';
    self.suspend();
    inner.resume();
    diary += 'd';
  }};
  outer.resume();
  diary += '|';
  outer.resume();
  BOOST_TEST(diary == "ab|cd");
}

BOOST_AUTO_TEST_CASE(an_outer_coroutine_suspends_from_inside_an_inner_one) {
  std::string diary;
  coroutine outer{[&](coroutine& self) {
    coroutine inner{[&](coroutine&) {
      diary += 'a';
      self.suspend();
      diary += 'b';
    }};
    inner.resume();
    diary += inner.done() ? 'd' : '?';
  }};
  outer.resume();
  diary += '|';
  outer.resume();
  BOOST_TEST(diary == "a|bd");
}

// --- exceptions ------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_suspended_coroutine_is_resumed_by_another_thread) {
  std::string diary;
  coroutine moves{[&](coroutine& self) {
    try {
      throw std::out_of_range{"over"};
    } catch (const std::out_of_range&) {
      self.suspend();
      try {
        throw;
      } catch (const std::out_of_range& error) {
        diary += error.what();
      }
    }
    self.suspend();
    diary += ", again";
  }};
  moves.resume();
  std::thread{[&] { moves.resume(); }}.join();
  BOOST_TEST(diary == "over");
  moves.resume();
  BOOST_TEST(diary == "over, again");
}

BOOST_AUTO_TEST_CASE(what_a_body_throws_comes_out_of_resume) {
  coroutine body{[](coroutine& self) {
    self.suspend();
    throw std::runtime_error{"midway"};
  }};
  body.resume();
  BOOST_CHECK_EXCEPTION(body.resume(), std::runtime_error, [](const std::runtime_error& error) {
    return std::string{error.what()} == "midway";
  });
  BOOST_TEST(body.done());
}

BOOST_AUTO_TEST_CASE(two_bodies_that_suspend_in_catch_keep_their_own_exceptions) {
  const auto body = [](std::string name, std::string& caught) {
    return [name, &caught](coroutine& self) {
      try {
        try {
          throw std::runtime_error{name};
        } catch (...) {
          self.suspend();
          throw;
        }
      } catch (const std::runtime_error& error) {
        caught = error.what();
      }
    };
  };
  std::string caught_by_a;
  std::string caught_by_b;
  coroutine a{body("A", caught_by_a)};
  coroutine b{body("B", caught_by_b)};
  a.resume();
  b.resume();
  BOOST_TEST((std::current_exception() == nullptr));
  a.resume();
  b.resume();
  BOOST_TEST(caught_by_a == "A");
  BOOST_TEST(caught_by_b == "B");
}

BOOST_AUTO_TEST_CASE(an_exception_in_flight_outside_is_not_seen_inside) {
  int inside = -1;
  coroutine body{[&](coroutine& self) {
    for (;;) {
      inside = std::uncaught_exceptions();
      self.suspend();
    }
  }};
  struct resumes_when_destroyed {
    coroutine& driven;
    ~resumes_when_destroyed() { driven.resume(); }
  };
  try {
    resumes_when_destroyed driver{body};
    throw 1;
  } catch (int) {
  }
  BOOST_TEST(inside == 0);
  BOOST_TEST(std::uncaught_exceptions() == 0);
}

BOOST_AUTO_TEST_CASE(a_destructor_that_suspends_while_unwinding_finds_its_own_count_again) {
  int before = 0;
  int after = 0;
  struct suspends_when_destroyed {
    coroutine& self;
    int& before;
    int& after;
    ~suspends_when_destroyed() {
      before = std::uncaught_exceptions();
      self.suspend();
      after = std::uncaught_exceptions();
    }
  };
  coroutine body{[&](coroutine& self) {
    try {
      suspends_when_destroyed local{self, before, after};
      throw 1;
    } catch (int) {
    }
  }};
  body.resume();
  BOOST_TEST(std::uncaught_exceptions() == 0);
  body.resume();
  BOOST_TEST(before == 1);
  BOOST_TEST(after == 1);
}

// --- dropping --------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_body_dropped_halfway_is_unwound) {
  std::string diary;
  {
    coroutine body{[&diary, held = witness{diary, '3'}](coroutine& self) {
      witness first{diary, '2'};
      witness second{diary, '1'};
      self.suspend();
      diary += "never";
    }};
    body.resume();
  }
  BOOST_TEST(diary == "123");
}

BOOST_AUTO_TEST_CASE(a_body_that_was_never_resumed_is_destroyed_without_running) {
  std::string diary;
  {
    coroutine body{[&diary, held = witness{diary, 'c'}](coroutine&) { diary += "ran"; }};
  }
  BOOST_TEST(diary == "c");
}

BOOST_AUTO_TEST_CASE(a_handler_that_swallows_the_unwinding_meets_it_again) {
  int met = 0;
  {
    coroutine stubborn{[&](coroutine& self) {
      for (int i = 0; i < 2; ++i) {
        try {
          self.suspend();
        } catch (...) {
          ++met;
        }
      }
      self.suspend();
      met = -1;
    }};
    stubborn.resume();
  }
  BOOST_TEST(met == 2);
}

BOOST_AUTO_TEST_CASE(what_a_dropped_body_throws_is_dropped_with_it) {
  bool threw = false;
  {
    coroutine body{[&](coroutine& self) {
      try {
        self.suspend();
      } catch (const cancelled&) {
        threw = true;
        throw std::runtime_error{"instead"};
      }
    }};
    body.resume();
  }
  BOOST_TEST(threw);
  BOOST_TEST(std::uncaught_exceptions() == 0);
}

BOOST_AUTO_TEST_CASE(no_exception_counts_as_uncaught_after_suspended_bodies_were_dropped) {
  for (int i = 0; i < 10; ++i) {
    coroutine in_body{[](coroutine& self) { self.suspend(); }};
    coroutine in_handler{[](coroutine& self) {
      try {
        throw 1;
      } catch (int) {
        self.suspend();
      }
    }};
    in_body.resume();
    in_handler.resume();
  }
  BOOST_TEST(std::uncaught_exceptions() == 0);
  BOOST_TEST((std::current_exception() == nullptr));
}

BOOST_AUTO_TEST_CASE(coroutines_are_dropped_while_an_exception_is_in_flight) {
  std::string diary;
  try {
    coroutine body{[&](coroutine& self) {
      witness local{diary, 'x'};
      self.suspend();
    }};
    body.resume();
    throw std::runtime_error{"in flight"};
  } catch (const std::runtime_error& error) {
    diary += error.what();
  }
  BOOST_TEST(diary == "xin flight");
}

BOOST_AUTO_TEST_CASE(a_cancellation_that_is_not_the_dropping_passes_through_to_the_resumer) {
  coroutine inner{[](coroutine&) { throw cancelled{}; }};
  BOOST_CHECK_THROW(inner.resume(), cancelled);
  BOOST_TEST(inner.done());
}

// --- transfer --------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_body_transfers_to_another_whose_suspend_reaches_the_first_resumer) {
  std::string diary;
  coroutine second{[&](coroutine& self) {
    diary += '2';
    self.suspend();
    diary += '4';
  }};
  coroutine first{[&](coroutine& self) {
    diary += '1';
    self.transfer_to(second);
    diary += '3';
  }};
  first.enter();
  BOOST_TEST(diary == "12");
  first.enter();
  BOOST_TEST(diary == "123");
  BOOST_TEST(first.done());
  second.enter();
  BOOST_TEST(diary == "1234");
}

BOOST_AUTO_TEST_CASE(a_body_ends_in_another) {
  std::string diary;
  coroutine second{[&](coroutine&) { diary += '2'; }};
  coroutine first{[&](coroutine& self) {
    diary += '1';
    self.end_in(second);
  }};
  first.enter();
  BOOST_TEST(diary == "12");
  BOOST_TEST(first.done());
  BOOST_TEST(second.done());
}

BOOST_AUTO_TEST_CASE(only_a_coroutine_that_waits_is_visited) {
  int visits = 0;
  const auto count = [](void* counter) { ++*static_cast<int*>(counter); };
  coroutine body{[&](coroutine& self) {
    self.visit(count, &visits);
    BOOST_TEST(visits == 0);
    self.suspend();
  }};
  body.visit(count, &visits);
  BOOST_TEST(visits == 0);
  body.resume();
  body.visit(count, &visits);
  BOOST_TEST(visits == 1);
  body.resume();
  BOOST_TEST(!body.running());
  body.visit(count, &visits);
  BOOST_TEST(visits == 1);
}
