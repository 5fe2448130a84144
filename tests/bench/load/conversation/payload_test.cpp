// Replies are checked byte by byte, whatever the sizes of the pieces that arrive.
#include <fmt/format.h>

#include <bench/load/conversation/payload.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

using bench::payload;
using bench::reply_position;
using bench::wrong_reply;

namespace {

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
    // If the byte equals the next one, the comparison fails later or the last message is short.
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

BOOST_AUTO_TEST_CASE(acknowledgements_are_counted_and_anything_else_is_wrong) {
  bench::acknowledged_payload expected{1024, 9};
  reply_position at;
  BOOST_TEST(expected.check(at, 5, "\n") == 1);
  BOOST_TEST(expected.check(at, 5, "\n\n\n") == 3);
  BOOST_TEST(at.sequence == 4U);
  BOOST_TEST(at.bytes_checked == 4U);
  for (const auto* wrong : {"x", "\nx", "GOT:"})
    BOOST_CHECK_THROW(check(expected, wrong), wrong_reply);
}
