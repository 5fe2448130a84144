// The load generator counts and checks every reply, and names the server whose reply is wrong.
#include <fmt/format.h>

#include <algorithm>
#include <bench/load/generator.hpp>
#include <bench/selftest/odd_server.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <thread>
#include <vector>

#include <tests/deaf_port.hpp>
#include <tests/scratch_folder.hpp>

using namespace std::chrono_literals;
using bench::scenario;
using bench::wrong_reply;

namespace {

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

BOOST_FIXTURE_TEST_CASE(between_two_quiet_moments_every_message_is_counted, machine) {
  std::atomic<std::int64_t> replies{0};
  odd_behaviour counting;
  counting.reply = [&](std::string_view got) { return ++replies, std::string{got}; };
  const odd_server server{counting};
  bench::load_generator client{{64, 64, 1}, 1, stop};
  const auto number = client.add_server("odd", at(server));
  client.connect(number, 64);
  for (int i = 0; i < 3; ++i) {
    const std::int64_t before = replies;
    client.start({number});
    const auto while_it_ran = client.run(20ms).front().messages;
    const auto outstanding = client.finish();
    BOOST_TEST(while_it_ran + outstanding == replies - before);
  }
  BOOST_TEST(client.finish() == 0);
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
  BOOST_TEST(replies == 1 + 12);  // add_server() asked for the prefix
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

namespace {

// Sets `stop` from another thread, without a signal, 50 ms after it was made.
struct stopping : machine {
  std::jthread later{[this] {
    std::this_thread::sleep_for(50ms);
    stop = true;
  }};
};

// Answers so many messages and no more.
odd_behaviour silent_after(int messages) {
  odd_behaviour silent;
  silent.reply = [n = messages](std::string_view got) mutable {
    return n-- > 0 ? std::string{got} : std::string{};
  };
  return silent;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(who_stops_does_not_wait_for_the_first_reply, stopping) {
  const odd_server server{silent_after(0)};
  bench::load_generator client{{1, 64, 1}, 1, stop};
  client.set_patience(20s);
  BOOST_CHECK_THROW(client.add_server("silent", at(server)), bench::interrupted);
}

BOOST_FIXTURE_TEST_CASE(who_stops_does_not_wait_for_a_server_that_falls_silent, stopping) {
  const odd_server server{silent_after(1)};
  bench::load_generator client{{1, 64, 1}, 1, stop};
  client.set_patience(20s);
  const auto number = client.add_server("silent", at(server));
  BOOST_CHECK_THROW(client.connect(number, 1), bench::interrupted);
}

BOOST_FIXTURE_TEST_CASE(who_stops_does_not_wait_for_a_server_that_accepts_nobody, stopping) {
  const scratch_folder folder;
  const auto where = bench::address::on_path(folder / "socket");
  const bench::descriptor listener{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  BOOST_REQUIRE(bind(listener.get(), where.get(), where.length) == 0);
  BOOST_REQUIRE(listen(listener.get(), 0) == 0);
  const bench::descriptor first{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  BOOST_REQUIRE(connect(first.get(), where.get(), where.length) == 0);
  bench::load_generator client{{1, 64, 1}, 1, stop};
  client.set_patience(20s);
  BOOST_CHECK_THROW(client.add_server("full", where), bench::interrupted);
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

BOOST_FIXTURE_TEST_CASE(one_long_run_notices_silence_after_many_replies, machine) {
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
  BOOST_CHECK_THROW(client.run(1h), bench::no_answer);
  BOOST_TEST(client.so_far().front().messages > 0);
}

BOOST_FIXTURE_TEST_CASE(one_silent_connection_ends_a_load_that_goes_on_over_the_others, machine) {
  for (const bool open : {false, true}) {
    odd_behaviour forgetful;
    forgetful.reply = [n = 0](std::string_view got) mutable {
      return ++n == 30 ? std::string{} : std::string{got};
    };
    const odd_server server{forgetful};
    bench::load_generator client{{4, 64, 1}, 1, stop};
    client.set_patience(1s);
    const auto number = client.add_server("forgetful", at(server));
    client.connect(number, 4);
    open ? client.start_at_rate({number}, 1000) : client.start({number});
    BOOST_CHECK_EXCEPTION(client.run(20s), bench::no_answer, [](const auto& error) {
      return std::string{error.what()}.starts_with("forgetful stopped answering on connection ");
    });
    BOOST_TEST(client.so_far().front().messages > 100);
    BOOST_TEST(client.overdue(number, 500ms) == 1);
  }
}

BOOST_FIXTURE_TEST_CASE(what_a_stalled_server_owes_is_overdue_sent_or_not, machine) {
  std::atomic<bool> released{false};
  odd_behaviour stalling;
  stalling.reply = [n = 0, &released](std::string_view got) mutable {
    while (++n > 50 && !released) std::this_thread::sleep_for(1ms);
    return std::string{got};
  };
  const odd_server server{stalling};
  bench::load_generator client{{4, 64, 1}, 1, stop};
  const auto number = client.add_server("stalling", at(server));
  client.connect(number, 4);
  client.start_at_rate({number}, 1000);
  client.set_observer(5ms, [&] { stop = client.overdue(number, 100ms) >= 200; });
  BOOST_CHECK_THROW(client.run(1h), bench::interrupted);
  released = true;
  const auto seen = client.so_far().front();
  const auto old = client.overdue(number, 100ms);
  BOOST_TEST(old >= 200);
  BOOST_TEST(old < seen.unanswered);  // which counts what is under way as well
  BOOST_TEST(client.overdue(number, 1h) == 0);
}

BOOST_FIXTURE_TEST_CASE(an_observer_sees_what_was_measured_so_far, machine) {
  const odd_server server;
  bench::load_generator client{{2, 64, 1}, 1, stop};
  const auto number = client.add_server("odd", at(server));
  client.connect(number, 2);
  client.start({number});
  std::vector<std::int64_t> seen;
  client.set_observer(5ms, [&] {
    seen.push_back(client.so_far().front().messages);
    stop = seen.size() == 20;
  });
  BOOST_CHECK_THROW(client.run(1h), bench::interrupted);
  BOOST_TEST(seen.size() == 20U);
  BOOST_TEST(std::is_sorted(seen.begin(), seen.end()));
  BOOST_TEST(client.so_far().front().messages >= seen.back());
  BOOST_TEST(seen.back() > 0);
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

// The server closes with unread bytes, so its kernel resets the connection.
BOOST_FIXTURE_TEST_CASE(a_reset_instead_of_a_first_reply_is_not_called_silence, machine) {
  odd_behaviour rude;
  rude.receive_bytes = 1;
  rude.hang_up = [] {
    std::this_thread::sleep_for(50ms);  // lets the client wait for the reply
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

BOOST_FIXTURE_TEST_CASE(of_the_addresses_of_a_name_one_that_accepts_is_taken, machine) {
  const odd_server server{{}};
  const auto right = bench::address::resolve("127.0.0.1", server.port());
  const auto wrong = bench::address::resolve("127.0.0.2", server.port());
  const auto no_v6 = bench::address::resolve("::1", server.port());
  const auto taken = [](const std::vector<bench::address>& all) {
    return bench::first_to_accept(all).text;
  };
  BOOST_TEST(taken({wrong, no_v6, right}) == right.text);
  BOOST_TEST(taken({right, wrong}) == right.text);
  BOOST_TEST(taken({wrong, no_v6}) == wrong.text);
  for (const auto& each : bench::address::resolve_all("localhost", server.port()))
    BOOST_TEST(each.text == bench::address::resolve("localhost", server.port()).text);
  BOOST_TEST(bench::address::resolve("localhost", server.port()).accepts());
}

BOOST_FIXTURE_TEST_CASE(nobody_listening_is_said_at_once, machine) {
  const deaf_port gone;
  bench::load_generator client{{1, 64, 1}, 1, stop};
  BOOST_CHECK_THROW(client.add_server("gone", bench::address::resolve("127.0.0.1", gone.number())),
                    bench::cannot_connect);
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
  // The count follows the time that the sample took, which may be longer on a busy machine.
  BOOST_TEST(std::abs(static_cast<double>(sample.due) - sample.seconds * 1000) <= 1.5);
  BOOST_TEST(sample.messages > 0);
  BOOST_TEST(static_cast<double>(sample.messages) <= passed.count() * 1000);
  BOOST_TEST(sample.messages <= sample.due);
  // The histograms hold the messages that were due in the 200 ms and no others.
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
    std::this_thread::sleep_for(20ms);
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
  // Of 2000 that were due in the slice, those without a reply when the client gave up waiting.
  const auto answered = static_cast<std::int64_t>(sample.latency_ns.count());
  BOOST_TEST(sample.unanswered > 1000);
  BOOST_TEST(std::abs(answered + sample.unanswered - 2000) <= 1);
  // start() ends the open loop, so the next load has no rate.
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
  // One message is outstanding at a time, so at most the last one is not in the sample.
  BOOST_TEST(replies <= 1 + 21 + sample.messages + 1);
  BOOST_TEST(server.accepted() == 1 + 21);
}

namespace {

// Answers `answer` whenever `every` bytes have come.
odd_behaviour acknowledging(std::size_t every, const std::string& answer) {
  odd_behaviour behaviour;
  behaviour.reply = [every, answer, bytes = std::size_t{0}](std::string_view got) mutable {
    std::string all;
    for (bytes += got.size(); bytes >= every; bytes -= every) all += answer;
    return all;
  };
  return behaviour;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_one_way_load_counts_acknowledgements, machine) {
  const odd_server server{acknowledging(1024, "\n")};
  bench::load_generator client{scenario::parse("c1/1K/oneway"), 1, stop};
  const auto number = client.add_server("odd", at(server));
  client.connect(number, 1);
  client.start({number});
  const auto sample = client.run(30ms).front();
  client.finish();
  BOOST_TEST(sample.messages > 0);
  BOOST_TEST(sample.latency_ns.count() == static_cast<std::uint64_t>(sample.messages));
}

BOOST_FIXTURE_TEST_CASE(a_server_that_echoes_or_acknowledges_too_often_is_named, machine) {
  for (const auto* answer : {"x", "\n\n"}) {
    const odd_server server{acknowledging(1024, answer)};
    bench::load_generator client{scenario::parse("c1/1K/oneway"), 1, stop};
    const auto number = client.add_server("odd", at(server));
    const auto load = [&] {
      client.connect(number, 1);
      client.start({number});
      client.run(5s);
    };
    BOOST_CHECK_EXCEPTION(load(), wrong_reply, [](const wrong_reply& error) {
      return std::string{error.what()}.starts_with("odd: ");
    });
  }
}
