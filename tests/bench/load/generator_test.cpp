#include <fmt/format.h>

#include <bench/load/generator.hpp>
#include <bench/selftest/odd_server.hpp>
#include <bench/statistics/histogram.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <random>

using namespace std::chrono_literals;
using bench::payload;
using bench::reply_position;
using bench::scenario;
using bench::wrong_reply;

namespace {

// --- what a reply must hold

std::string message(const payload& expected, std::uint64_t sequence) {
  std::string text(expected.message_bytes(), '\0');
  expected.write(text.data(), 5, sequence);
  return text;
}

std::string reply(const payload& expected, std::uint64_t sequence) {
  return fmt::format("{}{}", expected.prefix(), message(expected, sequence));
}

int check(payload& expected, std::string_view arrived) {
  reply_position at;
  return expected.check(at, 5, arrived);
}

struct checked_stream {
  payload expected{40, 9, "GOT:"};
  std::string stream =
      "GOT:" + message(expected, 0) + "GOT:" + message(expected, 1) + "GOT:" + message(expected, 2);
};

struct machine {
  std::atomic<bool> stop{false};

  bench::address at(const odd_server& server) {
    return bench::address::resolve("127.0.0.1", server.port());
  }
};

odd_behaviour prefixed(const std::string& prefix) {
  odd_behaviour behaviour;
  behaviour.reply = [prefix](std::string_view got) { return fmt::format("{}{}", prefix, got); };
  return behaviour;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_reply_may_arrive_in_pieces_of_any_size, checked_stream) {
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    reply_position at;
    int messages = 0;
    for (std::size_t i = 0; i < stream.size(); i += piece) {
      messages += expected.check(at, 5, std::string_view{stream}.substr(i, piece));
    }
    BOOST_TEST(messages == 3);
    BOOST_TEST(at.bytes_checked == stream.size());
  }
}

BOOST_FIXTURE_TEST_CASE(any_single_wrong_byte_is_found, checked_stream) {
  for (std::size_t i = 0; i < stream.size(); ++i) {
    auto wrong = stream;
    wrong[i] ^= 1;
    BOOST_CHECK_THROW(check(expected, wrong), wrong_reply);
  }
}

BOOST_FIXTURE_TEST_CASE(any_single_missing_byte_is_found, checked_stream) {
  for (std::size_t i = 0; i < stream.size() - 1; ++i) {
    auto shorter = stream;
    shorter.erase(i, 1);
    // Two equal neighbours: without one of them the stream is the same until its end.
    try {
      BOOST_TEST(check(expected, shorter) < 3);
    } catch (const wrong_reply&) {
    }
  }
}

BOOST_FIXTURE_TEST_CASE(a_message_that_is_repeated_skipped_or_of_another_connection_is_found,
                        checked_stream) {
  const auto first = reply(expected, 0);
  BOOST_CHECK_THROW(check(expected, first + first), wrong_reply);
  BOOST_CHECK_THROW(check(expected, reply(expected, 1)), wrong_reply);
  reply_position at;
  BOOST_CHECK_THROW(expected.check(at, 6, first), wrong_reply);
}

BOOST_AUTO_TEST_CASE(a_prefix_may_stand_wherever_a_receive_began) {
  payload expected{64, 1, "GOT:", true};
  const auto two = message(expected, 0) + message(expected, 1);
  for (std::size_t cut = 1; cut < two.size(); ++cut) {
    BOOST_TEST(check(expected, fmt::format("GOT:{}GOT:{}", two.substr(0, cut), two.substr(cut))) ==
               2);
  }
}

BOOST_AUTO_TEST_CASE(a_prefix_is_owed_where_a_receive_must_have_begun) {
  payload one_at_a_time{64, 1, "GOT:"};
  const auto two = fmt::format("{}{}", reply(one_at_a_time, 0), message(one_at_a_time, 1));
  BOOST_CHECK_THROW(check(one_at_a_time, two), wrong_reply);
  payload pipelined{64, 1, "GOT:", true};
  BOOST_TEST(check(pipelined, two) == 2);
  BOOST_CHECK_THROW(check(pipelined, message(pipelined, 0)), wrong_reply);
}

BOOST_AUTO_TEST_CASE(a_prefix_without_anything_after_it_is_wrong) {
  payload expected{64, 1, "GOT:", true};
  BOOST_CHECK_THROW(check(expected, fmt::format("GOT:{}", reply(expected, 0))), wrong_reply);
}

BOOST_AUTO_TEST_CASE(no_message_holds_the_first_byte_of_the_prefix) {
  for (const std::string prefix : {"GOT:", "echo: ", "0x", "z", " ", "\n> "}) {
    const payload expected{2000, 3, prefix};
    for (std::uint64_t sequence = 0; sequence < 50; ++sequence) {
      BOOST_TEST(message(expected, sequence).find(prefix[0]) == std::string::npos);
    }
  }
}

// --- percentiles

BOOST_AUTO_TEST_CASE(a_percentile_is_off_by_less_than_a_hundredth) {
  bench::histogram latency;
  std::vector<std::uint64_t> values;
  std::mt19937_64 random{4};
  std::lognormal_distribution<double> distribution{11, 2};
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(static_cast<std::uint64_t>(distribution(random)));
    latency.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (double percent : {1.0, 25.0, 50.0, 90.0, 99.0, 99.9}) {
    const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * 20'000)) - 1;
    BOOST_TEST(latency.percentile(percent) == static_cast<double>(values[rank]),
               boost::test_tools::tolerance(0.008));
  }
  BOOST_TEST(latency.percentile(100) == static_cast<double>(latency.max()));
  BOOST_TEST(static_cast<double>(latency.max()) == static_cast<double>(values.back()),
             boost::test_tools::tolerance(0.008));
}

BOOST_AUTO_TEST_CASE(histograms_merge_as_if_one_had_recorded_all) {
  bench::histogram low, high;
  for (std::uint64_t i = 1; i <= 100; ++i) low.record(i), high.record(i * 1'000'000);
  low.merge(high);
  BOOST_TEST(low.count() == 200U);
  BOOST_TEST(low.percentile(50) == 100.0);
  BOOST_TEST((100'000'000U <= low.max() && low.max() < 100'800'000U));
}

BOOST_AUTO_TEST_CASE(an_empty_histogram_has_no_percentile_and_a_huge_value_is_18_minutes) {
  bench::histogram latency;
  BOOST_TEST(latency.percentile(50) == 0.0);
  BOOST_TEST(latency.max() == 0U);
  latency.record(1ULL << 50);
  BOOST_TEST(latency.percentile(50) == static_cast<double>(bench::histogram::highest));
}

BOOST_AUTO_TEST_CASE(buckets_follow_each_other_without_a_gap_and_hold_what_is_recorded) {
  BOOST_TEST(bench::histogram::lowest_in(0) == 0U);
  for (std::size_t i = 0; i < bench::histogram::buckets; ++i) {
    bench::histogram latency;
    latency.record(bench::histogram::lowest_in(i));
    latency.record(bench::histogram::highest_in(i));
    BOOST_TEST(latency.counts()[i] == 2U);
    if (i > 0) {
      BOOST_TEST(bench::histogram::lowest_in(i) == bench::histogram::highest_in(i - 1) + 1);
    }
  }
}

// --- names of scenarios

BOOST_AUTO_TEST_CASE(a_scenario_is_its_name) {
  for (const auto* name : {"c1/64", "c64/512", "c16/16K", "c16/64/d16", "c256/1000", "c2/1K/d2",
                           "c64/512/r50%", "c64/512/r20k", "c1/64/r1500", "c4/64/d4/r100%",
                           "c16/64/churn", "c64/64+10000idle", "c2/1K+5idle/d2/r1k"}) {
    BOOST_TEST(scenario::parse(name).text() == name);
  }
  BOOST_CHECK(scenario::parse("c16/16K/d4") == (scenario{16, 16384, 4}));
  BOOST_TEST(scenario::parse("c1/1024/d1").text() == "c1/1K");
  BOOST_TEST(scenario::parse("c1/64/r20000").text() == "c1/64/r20k");
  BOOST_TEST(scenario::parse("c64/512/r50%").rate_percent == 50);
  BOOST_TEST(scenario::parse("c64/64+10000idle").all_connections() == 10'064);
}

BOOST_AUTO_TEST_CASE(what_is_no_scenario_is_refused_by_name) {
  for (const std::string text : {"",
                                 "c",
                                 "c/64",
                                 "c1",
                                 "c1/",
                                 "64/512",
                                 "c0/64",
                                 "c-1/64",
                                 "c1/15",
                                 "c1/64/d0",
                                 "c1/64/",
                                 "c1/64/x4",
                                 "c1/64K64",
                                 "c1/2000K",
                                 "c1/9999999999",
                                 "c1/64/d9999",
                                 "c1/64 ",
                                 "c1/64/r",
                                 "c1/64/r0",
                                 "c1/64/r101%",
                                 "c1/64/r99999k",
                                 "c1/64/r5K",
                                 "c1/64/churning",
                                 "c1/64/d2/churn",
                                 "c1/64/r50%/churn",
                                 "c1/64+5idle/churn",
                                 "c1/64+idle",
                                 "c1/64+5",
                                 "c1/64/r50%/d2",
                                 "c1/64/r50%%"}) {
    const auto names_it = [&](const std::invalid_argument& error) {
      return std::string{error.what()}.find(fmt::format("'{}'", text)) != std::string::npos;
    };
    BOOST_CHECK_EXCEPTION(scenario::parse(text), std::invalid_argument, names_it);
  }
}

// --- when messages are due

BOOST_AUTO_TEST_CASE(messages_are_due_at_the_rate_however_long_it_lasts) {
  bench::open_loop pace{30'000, 1000};
  BOOST_TEST(pace.due_until(999) == 0);
  BOOST_TEST(pace.due_until(1000) == 1);
  BOOST_TEST(pace.due_until(1000 + 999'999'999) == 30'000);
  std::int64_t last = 0;
  for (int i = 0; i <= 300'000; ++i) {
    pace.offer(7, 0);
    last = pace.take(100'000'000'000)->due_ns;
  }
  BOOST_TEST(last == 1000 + 10'000'000'000);
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_before_it_is_due_or_without_a_connection) {
  bench::open_loop pace{1000, 0};
  BOOST_TEST(!pace.next_ns().has_value());
  BOOST_TEST(!pace.take(0).has_value());
  pace.offer(3, 0);
  BOOST_TEST(pace.take(0)->connection == 3U);
  pace.offer(4, 10);
  BOOST_TEST(pace.next_ns().value() == 1'000'000);
  BOOST_TEST(!pace.take(999'999).has_value());
  const auto late = pace.take(1'500'000);
  BOOST_TEST(late->connection == 4U);
  BOOST_TEST(late->due_ns == 1'000'000);
  BOOST_TEST(late->late_ns == 500'000);
}

BOOST_AUTO_TEST_CASE(a_client_that_had_no_free_connection_was_not_late_itself) {
  bench::open_loop pace{1000, 0};
  pace.offer(1, 80'000'000);
  const auto sent = pace.take(80'000'100);
  BOOST_TEST(sent->due_ns == 0);
  BOOST_TEST(sent->late_ns == 100);
}

namespace {

// A server and its clients under a clock of their own: one message at a time, 50 us each, and none
// at all for 100 ms in the midst of five seconds.
class stopping_server {
 public:
  std::int64_t replies_at(std::int64_t sent) {
    auto begins = std::max(sent, free_at_);
    if (begins >= stop_begins && begins < stop_ends) begins = stop_ends;
    return free_at_ = begins + 50'000;
  }

  static constexpr std::int64_t stop_begins = 2'000'000'000;
  static constexpr std::int64_t stop_ends = 2'100'000'000;
  static constexpr std::int64_t end = 5'000'000'000;

 private:
  std::int64_t free_at_ = 0;
};

constexpr std::uint32_t clients = 8;

bench::histogram closed_loop_times() {
  stopping_server server;
  bench::histogram times;
  std::deque<std::int64_t> replies(clients, 0);
  for (auto now = replies.front(); now < stopping_server::end; now = replies.front()) {
    replies.pop_front();
    replies.push_back(server.replies_at(now));
    times.record(static_cast<std::uint64_t>(replies.back() - now));
  }
  return times;
}

struct open_loop_times {
  bench::histogram response;
  bench::histogram service;

  explicit open_loop_times(double per_second) {
    stopping_server server;
    bench::open_loop pace{per_second, 0};
    for (std::uint32_t i = 0; i < clients; ++i) pace.offer(i, 0);
    std::deque<std::pair<std::int64_t, std::uint32_t>> replies;
    for (std::int64_t now = 0; now < stopping_server::end;) {
      while (const auto next = pace.take(now)) {
        const auto reply = server.replies_at(now);
        response.record(static_cast<std::uint64_t>(reply - next->due_ns));
        service.record(static_cast<std::uint64_t>(reply - now));
        replies.emplace_back(reply, next->connection);
      }
      const auto due = pace.next_ns();
      if (!replies.empty() && (!due || replies.front().first <= *due)) {
        now = replies.front().first;
        pace.offer(replies.front().second, now);
        replies.pop_front();
      } else {
        now = *due;
      }
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_stop_of_100_ms_shows_in_the_open_loops_p99_and_not_in_the_closed_loops) {
  const auto closed = closed_loop_times();
  const open_loop_times open{10'000};
  BOOST_TEST(closed.percentile(99) < 1'000'000);
  BOOST_TEST(open.response.percentile(99) > 50'000'000);
  BOOST_TEST(open.response.percentile(50) < 1'000'000);
  // What wrk2 was written against: measured from when it was sent, most of the stop is omitted.
  BOOST_TEST(open.service.percentile(99) < 1'000'000);
  BOOST_TEST(open.service.max() > 90'000'000U);
}

// --- the loop

BOOST_FIXTURE_TEST_CASE(every_load_is_counted_and_checked, machine) {
  for (const auto* shape_text : {"c1/16", "c8/64", "c4/512/d16", "c3/16K", "c3/16K/d4"}) {
    for (const std::string prefix : {"GOT:", "", "echo: ", "\n> "}) {
      BOOST_TEST_CONTEXT(shape_text << " with prefix '" << prefix << "'") {
        const auto shape = scenario::parse(shape_text);
        const odd_server server{prefixed(prefix)};
        bench::load_generator client{shape, 1, stop};
        const auto number = client.add_server("odd", at(server));
        BOOST_TEST(client.prefix(number) == prefix);
        client.connect(number, shape.connections);
        client.start({number});
        const auto samples = client.run(30ms);
        client.finish();
        BOOST_REQUIRE(samples.size() == 1);
        const auto& sample = samples.front();
        BOOST_TEST(sample.messages > 0);
        BOOST_TEST(sample.latency_ns.count() == static_cast<std::uint64_t>(sample.messages));
        BOOST_TEST(sample.seconds >= 0.03);
        BOOST_TEST(sample.client_utilisation > 0);
      }
    }
  }
}

BOOST_FIXTURE_TEST_CASE(replies_split_and_merged_by_a_tiny_server_are_right, machine) {
  auto tiny = prefixed("GOT:");
  tiny.receive_bytes = 100;
  tiny.send_bytes = 7;
  const odd_server server{tiny};
  bench::load_generator client{{2, 1000, 4}, 1, stop};
  const auto number = client.add_server("tiny", at(server));
  client.connect(number, 2);
  client.start({number});
  BOOST_TEST(client.run(50ms).front().messages > 0);
  client.finish();
}

BOOST_FIXTURE_TEST_CASE(two_servers_are_loaded_at_once, machine) {
  const odd_server one{prefixed("1:")};
  const odd_server two{prefixed("2:")};
  bench::load_generator client{{4, 64, 1}, 1, stop};
  const auto first = client.add_server("one", at(one));
  const auto second = client.add_server("two", at(two));
  client.connect(first, 4);
  client.connect(second, 4);
  client.start({second, first});
  const auto samples = client.run(50ms);
  client.finish();
  BOOST_REQUIRE(samples.size() == 2);
  BOOST_TEST(samples[0].messages > 0);
  BOOST_TEST(samples[1].messages > 0);
}

BOOST_FIXTURE_TEST_CASE(a_server_that_is_not_started_is_left_alone, machine) {
  std::atomic<int> replies{0};
  odd_behaviour counting;
  counting.reply = [&](std::string_view got) { return ++replies, std::string{got}; };
  const odd_server busy{{}};
  const odd_server idle{counting};
  bench::load_generator client{{4, 64, 1}, 1, stop};
  const auto loaded = client.add_server("busy", at(busy));
  const auto resting = client.add_server("idle", at(idle));
  client.connect(loaded, 4);
  client.connect(resting, 4);
  const int before = replies;
  client.start({loaded});
  client.run(30ms);
  client.finish();
  BOOST_TEST(replies == before);
}

BOOST_FIXTURE_TEST_CASE(connections_can_be_added_and_each_echoes, machine) {
  std::atomic<int> replies{0};
  odd_behaviour counting;
  counting.reply = [&](std::string_view got) { return ++replies, std::string{got}; };
  const odd_server server{counting};
  bench::load_generator client{{1, 64, 1}, 1, stop};
  const auto number = client.add_server("odd", at(server));
  client.connect(number, 4);
  client.connect(number, 12);
  BOOST_TEST(replies == 1 + 12);  // the prefix was asked for on a connection of its own
}

BOOST_FIXTURE_TEST_CASE(one_wrong_byte_among_thousands_of_replies_is_found, machine) {
  odd_behaviour lying;
  lying.reply = [n = 0](std::string_view got) mutable {
    std::string reply{got};
    if (++n == 500) reply.back() ^= 1;
    return reply;
  };
  const odd_server server{lying};
  bench::load_generator client{{2, 64, 1}, 1, stop};
  const auto number = client.add_server("liar", at(server));
  client.connect(number, 2);
  client.start({number});
  BOOST_CHECK_EXCEPTION(client.run(20s), wrong_reply, [](const auto& error) {
    return std::string{error.what()}.find("liar") != std::string::npos;
  });
}

BOOST_FIXTURE_TEST_CASE(a_server_that_answers_something_else_does_not_echo, machine) {
  odd_behaviour fixed;
  fixed.reply = [](std::string_view) { return std::string{"hello"}; };
  const odd_server server{fixed};
  bench::load_generator client{{1, 64, 1}, 1, stop};
  client.set_patience(1s);
  BOOST_CHECK_THROW(client.add_server("parrot", at(server)), wrong_reply);
}

BOOST_FIXTURE_TEST_CASE(a_server_that_falls_silent_is_given_up, machine) {
  odd_behaviour tired;
  tired.reply = [n = 0](std::string_view got) mutable {
    return ++n > 20 ? std::string{} : std::string{got};
  };
  const odd_server server{tired};
  bench::load_generator client{{1, 64, 1}, 1, stop};
  client.set_patience(1s);
  const auto number = client.add_server("tired", at(server));
  client.connect(number, 1);
  client.start({number});
  const auto until_it_is_given_up = [&] {
    for (;;) client.run(50ms);
  };
  BOOST_CHECK_THROW(until_it_is_given_up(), bench::server_failed);
}

BOOST_FIXTURE_TEST_CASE(a_server_that_hangs_up_is_named, machine) {
  odd_behaviour rude;
  rude.hang_up = [n = 0]() mutable { return ++n > 20; };
  const odd_server server{rude};
  bench::load_generator client{{1, 64, 1}, 1, stop};
  const auto number = client.add_server("rude", at(server));
  client.connect(number, 1);
  client.start({number});
  BOOST_CHECK_EXCEPTION(client.run(20s), bench::server_failed, [](const auto& error) {
    return std::string{error.what()}.find("rude closed connection") != std::string::npos;
  });
}

// It closes while a byte is unread, and so its system resets the connection.
BOOST_FIXTURE_TEST_CASE(a_reset_instead_of_a_first_reply_is_not_called_silence, machine) {
  odd_behaviour rude;
  rude.receive_bytes = 1;
  rude.hang_up = [] {
    std::this_thread::sleep_for(50ms);  // until the client waits
    return true;
  };
  const odd_server server{rude};
  bench::load_generator client{{1, 64, 1}, 1, stop};
  BOOST_CHECK_EXCEPTION(
      client.add_server("rude", at(server)), bench::server_failed, [](const auto& error) {
        return std::string{error.what()} == "rude does not answer: Connection reset by peer";
      });
}

BOOST_FIXTURE_TEST_CASE(a_server_that_never_answers_is_given_up_when_the_time_is_over, machine) {
  odd_behaviour silent;
  silent.reply = [](std::string_view) { return std::string{}; };
  const odd_server server{silent};
  bench::load_generator client{{1, 64, 1}, 1, stop};
  client.set_patience(300ms);
  const auto before = std::chrono::steady_clock::now();
  BOOST_CHECK_EXCEPTION(
      client.add_server("silent", at(server)), bench::server_failed, [](const auto& error) {
        return std::string{error.what()} == "silent does not answer: no answer in time";
      });
  BOOST_TEST((std::chrono::steady_clock::now() - before >= 300ms));
}

BOOST_FIXTURE_TEST_CASE(nobody_listening_is_said_at_once, machine) {
  std::uint16_t port = 0;
  {
    const odd_server gone{{}};
    port = gone.port();
  }
  bench::load_generator client{{1, 64, 1}, 1, stop};
  BOOST_CHECK_THROW(client.add_server("gone", bench::address::resolve("127.0.0.1", port)),
                    bench::server_failed);
}

BOOST_FIXTURE_TEST_CASE(an_interruption_ends_a_load_that_is_going_on, machine) {
  const odd_server server{{}};
  bench::load_generator client{{2, 64, 1}, 1, stop};
  const auto number = client.add_server("odd", at(server));
  client.connect(number, 2);
  client.start({number});
  std::thread impatient{[this] {
    std::this_thread::sleep_for(50ms);
    stop = true;
  }};
  BOOST_CHECK_THROW(client.run(60s), bench::interrupted);
  impatient.join();
}

BOOST_FIXTURE_TEST_CASE(an_open_loop_keeps_its_rate_and_tells_response_from_service, machine) {
  const odd_server server{prefixed("GOT:")};
  bench::load_generator client{{4, 64, 1}, 1, stop};
  const auto number = client.add_server("odd", at(server));
  client.connect(number, 4);
  const auto begin = std::chrono::steady_clock::now();
  client.start_at_rate({number}, 1000);
  const auto sample = client.run(200ms).front();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  client.finish();
  // As many as fit into the time it took, however long that was on a busy machine.
  BOOST_TEST(std::abs(static_cast<double>(sample.due) - sample.seconds * 1000) <= 1.5);
  BOOST_TEST(sample.messages > 0);
  // Message 0 was due when the rate began, before the sample did; its reply is in the sample.
  BOOST_TEST(static_cast<double>(sample.messages) <= passed.count() * 1000 + 1);
  // What was due in the 200 ms, and no other.
  const auto counted = sample.latency_ns.count();
  BOOST_TEST((199U <= counted && counted <= 201U), counted);
  BOOST_TEST(sample.service_ns.count() == counted);
  BOOST_TEST(sample.late_ns.count() == counted);
  BOOST_TEST(sample.latency_ns.max() >= sample.service_ns.max());
}

BOOST_FIXTURE_TEST_CASE(a_server_that_stops_for_100_ms_shows_in_the_open_loops_p99, machine) {
  odd_behaviour stopping;
  stopping.reply = [n = 0](std::string_view got) mutable {
    if (++n == 200) std::this_thread::sleep_for(100ms);
    return std::string{got};
  };
  const odd_server server{stopping};
  bench::load_generator client{{4, 64, 1}, 1, stop};
  const auto number = client.add_server("stopping", at(server));
  client.connect(number, 4);
  client.start_at_rate({number}, 1000);
  const auto sample = client.run(600ms).front();
  client.finish();
  BOOST_TEST(sample.latency_ns.percentile(99) > 70e6);
}

BOOST_FIXTURE_TEST_CASE(what_is_due_in_time_and_answered_later_counts, machine) {
  odd_behaviour stopping;
  stopping.reply = [n = 0](std::string_view got) mutable {
    if (++n == 60) std::this_thread::sleep_for(300ms);
    return std::string{got};
  };
  const odd_server server{stopping};
  bench::load_generator client{{4, 64, 1}, 1, stop};
  const auto number = client.add_server("stopping", at(server));
  client.connect(number, 4);
  client.start_at_rate({number}, 1000);
  const auto sample = client.run(100ms).front();
  client.finish();
  BOOST_TEST(sample.latency_ns.count() >= 99U);
  BOOST_TEST(sample.latency_ns.percentile(90) > 200e6);
}

BOOST_FIXTURE_TEST_CASE(more_than_a_server_can_do_leaves_messages_due, machine) {
  odd_behaviour slow;
  slow.reply = [](std::string_view got) {
    std::this_thread::sleep_for(1ms);
    return std::string{got};
  };
  const odd_server server{slow};
  bench::load_generator client{{4, 64, 2}, 1, stop};
  const auto number = client.add_server("slow", at(server));
  client.connect(number, 4);
  client.start_at_rate({number}, 20'000);
  const auto sample = client.run(100ms).front();
  client.finish();
  BOOST_TEST(sample.messages * 2 < sample.due);
  // It was closed again: the next load is not held to the rate.
  client.start({number});
  BOOST_TEST(client.run(20ms).front().due == 0);
  client.finish();
}

BOOST_FIXTURE_TEST_CASE(under_churn_each_message_has_a_connection_of_its_own, machine) {
  std::atomic<int> replies{0};
  odd_behaviour counting = prefixed("GOT:");
  counting.reply = [&](std::string_view got) {
    ++replies;
    return fmt::format("GOT:{}", got);
  };
  const odd_server server{counting};
  bench::load_generator client{scenario::parse("c4/64/churn"), 1, stop};
  const auto number = client.add_server("odd", at(server));
  client.connect(number, 4);
  client.start({number});
  std::int64_t messages = 0;
  while (messages <= 4) {
    const auto sample = client.run(20ms).front();
    BOOST_TEST(sample.latency_ns.count() == static_cast<std::uint64_t>(sample.messages));
    messages += sample.messages;
  }
  client.finish();
  BOOST_TEST(server.accepted() >= messages);
  BOOST_TEST(replies >= messages);
}

BOOST_FIXTURE_TEST_CASE(idle_connections_echo_once_and_then_stay_silent, machine) {
  std::atomic<int> replies{0};
  odd_behaviour counting;
  counting.reply = [&](std::string_view got) { return ++replies, std::string{got}; };
  const odd_server server{counting};
  const auto shape = scenario::parse("c1/64+20idle");
  bench::load_generator client{shape, 1, stop};
  const auto number = client.add_server("odd", at(server));
  client.connect(number, shape.all_connections());
  BOOST_TEST(replies == 1 + 21);
  client.start({number});
  const auto sample = client.run(20ms).front();
  client.finish();
  // One connection has one message outstanding: beside what was counted only the last one.
  BOOST_TEST(replies <= 1 + 21 + sample.messages + 1);
  BOOST_TEST(server.accepted() == 1 + 21);
}
