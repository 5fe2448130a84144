// Several ranks begin together, load a server with their shares, and their answers add up.
#include <bench/hosts/ranks/participant.hpp>

#include <bench/hosts/ranks/description.hpp>
#include <bench/selftest/odd_server.hpp>
#include <bench/statistics/hdr_encoding.hpp>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <numeric>

#include <tests/bench/hosts/counting_echo.hpp>
#include <tests/bench/hosts/thread_transport.hpp>
#include <tests/texts.hpp>

using namespace std::chrono_literals;
using namespace bench;

namespace {

// From this rank the second of each two barriers takes long, until it has done so often enough.
class slow_at_barriers : public thread_transport {
 public:
  using thread_transport::thread_transport;
  static inline std::atomic<int> slow_ones{0};
  static inline std::atomic<int> barriers{0};

  void barrier() override {
    const bool is_second = entered_++ % 2 == 1;
    if (rank() == 1) ++barriers;
    if (rank() == 1 && is_second && slow_ones-- > 0) std::this_thread::sleep_for(5ms);
    thread_transport::barrier();
  }

 private:
  int entered_ = 0;
};

// Gives these orders to rank 0 and keeps the answers.
struct listed_orders : order_source {
  explicit listed_orders(const std::vector<any_order>& given) : left{given.begin(), given.end()} {}
  std::string next() override {
    const auto text = to_text(left.front());
    left.pop_front();
    return text;
  }
  void answer(const std::string& joint) override { answers.push_back(joint_answer_of(joint)); }

  std::deque<any_order> left;
  std::vector<joint_answer> answers;
};

const std::atomic<bool> never{false};

// The connections of rank 1 begin at 127.0.0.2, those of rank 2 at 127.0.0.3.
std::string source_of_rank(int rank) {
  return "127.0.0." + std::to_string(rank + 1);
}

std::vector<joint_answer> answers_of(int ranks, const std::vector<any_order>& given) {
  return as_ranks(ranks, [&](transport& all) {
    participant self{all, {.sources = {address::resolve(source_of_rank(all.rank()), 0)}}, never};
    listed_orders orders{given};
    take_part(self, all, all.rank() == 0 ? &orders : nullptr);
    return orders.answers;
  })[0];
}

std::vector<any_order> orders_for(const char* load, std::uint16_t port, double per_second = 0) {
  const auto shape = scenario::parse(load);
  return {orders::begin{shape, 1, 5},
          orders::meet{"server", "127.0.0.1:" + std::to_string(port), std::nullopt},
          orders::connect{0, shape.all_connections()}, orders::load{{0}, per_second, 0.1},
          orders::end{}};
}

std::int64_t sum(const joint_answer& said, std::int64_t generator_share::*member) {
  std::int64_t all = 0;
  for (const auto& each : said.ranks)
    for (const auto& share : each.shares) all += share.*member;
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(participants)

BOOST_AUTO_TEST_CASE(no_rank_begins_later_than_the_skew_of_another_permits) {
  constexpr int ranks = 4, tries = 20;
  const auto found = as_ranks(ranks, [](transport& all) {
    std::vector<appointment> made;
    for (int i = 0; i < tries; ++i) made.push_back(synchronise(all));
    return made;
  });
  for (std::size_t i = 0; i < tries; ++i)
    for (const auto& one : found)
      for (const auto& other : found) {
        BOOST_TEST((one[i].skew >= 0ns));
        BOOST_TEST((other[i].at - one[i].at <= one[i].skew));
      }
}

BOOST_AUTO_TEST_CASE(who_begins_together_begins_a_moment_from_now) {
  const auto left = as_ranks(3, [](transport& all) {
    const auto begin = synchronise(all).at;
    return begin - std::chrono::steady_clock::now();
  });
  for (const auto& each : left) BOOST_TEST((each <= 50ms));
}

BOOST_AUTO_TEST_CASE(a_slow_barrier_is_tried_again) {
  slow_at_barriers::slow_ones = 3;
  slow_at_barriers::barriers = 0;
  as_ranks<slow_at_barriers>(3, [](transport& all) { return synchronise(all).skew; });
  BOOST_TEST(slow_at_barriers::barriers >= 2 * 4);
  BOOST_TEST(slow_at_barriers::barriers <= 2 * 10);
}

BOOST_AUTO_TEST_CASE(after_ten_tries_the_skew_is_what_it_is) {
  slow_at_barriers::slow_ones = 1000;
  slow_at_barriers::barriers = 0;
  const auto skews =
      as_ranks<slow_at_barriers>(3, [](transport& all) { return synchronise(all).skew; });
  BOOST_TEST(slow_at_barriers::barriers == 2 * 10);
  for (const auto& each : skews) BOOST_TEST((each >= 4ms));
}

BOOST_AUTO_TEST_CASE(three_ranks_load_a_server_with_their_shares_and_add_up) {
  const counting_echo server{listen_on("127.0.0.1")};
  const auto answers = answers_of(4, orders_for("c10/64/d3", server.port()));
  BOOST_REQUIRE(answers.size() == 5u);
  for (const auto& joint : answers)
    for (const auto& each : joint.ranks) BOOST_TEST(!each.failure);
  const auto& met = answers[1];
  BOOST_TEST(!met.ranks[0].prefix);
  for (std::size_t rank = 1; rank < 4; ++rank) BOOST_TEST(met.ranks[rank].prefix.value() == "GOT:");

  BOOST_TEST(server.of(source_of_rank(1)).accepted == 4u);
  BOOST_TEST(server.of(source_of_rank(2)).accepted == 3u);
  BOOST_TEST(server.of(source_of_rank(3)).accepted == 3u);
  BOOST_TEST(server.total().accepted == 3u + 10u);  // each generator asked for the prefix

  const auto& loaded = answers[3];
  BOOST_TEST(loaded.ranks[0].shares.empty());
  histogram added;
  for (std::size_t rank = 1; rank < 4; ++rank) {
    BOOST_REQUIRE(loaded.ranks[rank].shares.size() == 1u);
    const auto& share = loaded.ranks[rank].shares[0];
    const auto own = hdr_decoded(share.latency);
    BOOST_TEST(share.messages > 0);
    BOOST_TEST(share.messages_in_all > share.messages);
    BOOST_TEST(static_cast<std::int64_t>(own.count()) == share.messages);
    BOOST_TEST(share.seconds >= 0.1);
    BOOST_TEST(share.client_utilisation > 0);
    BOOST_TEST(share.start_skew_us >= 0);
    added.merge(own);
  }
  BOOST_REQUIRE(loaded.times.size() == 1u);
  BOOST_TEST(loaded.times[0].latency == hdr_encoded(added));
  const auto bytes = 64 * (10 * 3 + sum(loaded, &generator_share::messages_in_all)) + 3 * 2;
  BOOST_TEST(static_cast<std::int64_t>(server.total().received_bytes) == bytes);
}

BOOST_AUTO_TEST_CASE(the_rate_of_an_open_loop_is_shared_out) {
  const counting_echo server{listen_on("127.0.0.1")};
  const auto answers = answers_of(4, orders_for("c10/64/r5k", server.port(), 5000));
  const auto due = sum(answers[3], &generator_share::due);
  BOOST_TEST(due >= 480);
  BOOST_TEST(due <= 520);
  for (std::size_t rank = 1; rank < 4; ++rank) {
    const auto expected = 500 * (rank == 1 ? 4 : 3) / 10;
    const auto own = answers[3].ranks[rank].shares.at(0).due;
    BOOST_TEST(std::abs(own - expected) <= expected / 10);
  }
}

BOOST_AUTO_TEST_CASE(a_rank_without_a_connection_takes_part_and_measures_nothing) {
  const counting_echo server{listen_on("127.0.0.1")};
  const auto answers = answers_of(4, orders_for("c2/64", server.port()));
  BOOST_TEST(answers[3].ranks[1].shares.size() == 1u);
  BOOST_TEST(answers[3].ranks[2].shares.size() == 1u);
  BOOST_TEST(answers[3].ranks[3].shares.empty());
  BOOST_TEST(!answers[3].ranks[3].failure);
}

BOOST_AUTO_TEST_CASE(one_process_is_generator_and_rank_0) {
  const counting_echo server{listen_on("127.0.0.1")};
  alone all;
  participant self{all, {}, never};
  for (const auto& order : orders_for("c3/64", server.port())) {
    const auto joint = carry_out_together(self, all, order);
    BOOST_REQUIRE(joint.ranks.size() == 1u);
    BOOST_TEST(!joint.ranks[0].failure);
    if (std::holds_alternative<orders::load>(order))
      BOOST_TEST(joint.ranks[0].shares.at(0).messages > 0);
  }
  BOOST_TEST(server.of("127.0.0.1").accepted == 1u + 3u);
}

BOOST_AUTO_TEST_CASE(a_wrong_reply_is_in_the_answer_of_its_rank_and_the_others_finish) {
  std::atomic<int> replies{0};
  const odd_server server{{.reply = [&](std::string_view got) {
    std::string reply{got};
    if (++replies == 300) reply.back() ^= 1;
    return reply;
  }}};
  const auto answers = answers_of(4, orders_for("c3/64", server.port()));
  BOOST_REQUIRE(answers.size() == 5u);
  int failed = 0;
  for (std::size_t rank = 1; rank < 4; ++rank) {
    const auto& said = answers[3].ranks[rank];
    if (said.failure) {
      ++failed;
      BOOST_TEST((said.failure->kind == load_error::wrong_reply));
      BOOST_TEST(said.shares.empty());
    } else {
      BOOST_TEST(said.shares.at(0).messages > 0);
    }
  }
  BOOST_TEST(failed == 1);
  for (const auto& each : answers[4].ranks) BOOST_TEST(!each.failure);  // all hear of the end
}

BOOST_AUTO_TEST_CASE(each_rank_says_what_it_is) {
  const auto answers = answers_of(3, {orders::introduce{}, orders::end{}});
  for (const auto& each : answers[0].ranks) {
    const auto& about = each.about.value();
    BOOST_TEST(!about.build.empty());
    BOOST_TEST(!about.kernel.empty());
    BOOST_TEST(about.cpus >= 1);
    BOOST_TEST(about.descriptors > 0);
    BOOST_TEST(about.ports > 0);
    BOOST_TEST(about.ports_used >= 0);
    BOOST_TEST(about.build == build_of_this_program());
  }
}

BOOST_AUTO_TEST_CASE(ranks_that_stay_silent_end_the_load_and_are_told) {
  struct silent_others : thread_transport {
    using thread_transport::thread_transport;
    std::vector<std::string> gather(const std::string&, std::chrono::milliseconds) override {
      throw ranks_silent{{1, 3}};
    }
  };
  shared_by_ranks shared{1};
  silent_others all{shared, 0};
  participant self{all, {}, never};
  listed_orders orders{{orders::introduce{}, orders::end{}}};
  BOOST_TEST(!take_part(self, all, &orders));
  BOOST_REQUIRE(orders.answers.size() == 1u);
  BOOST_TEST(orders.answers[0].silent == (std::vector{1, 3}), boost::test_tools::per_element());
  BOOST_TEST(orders.answers[0].ranks.empty());
}

BOOST_AUTO_TEST_SUITE_END()
