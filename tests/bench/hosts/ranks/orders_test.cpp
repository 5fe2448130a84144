// Orders and answers are the same after their way as text.
#include <bench/hosts/ranks/orders.hpp>

#include <boost/test/unit_test.hpp>
#include <stdexcept>

using namespace bench;

namespace {

template <class Order>
Order carried(const Order& order) {
  const auto text = to_text(any_order{order});
  const auto back = order_of(text);
  BOOST_TEST(to_text(back) == text);
  BOOST_REQUIRE(std::holds_alternative<Order>(back));
  return std::get<Order>(back);
}

const generator_share share_of_one{.seconds = 0.125,
                                   .messages = 3'000'000'000,
                                   .messages_in_all = 3'000'000'001,
                                   .unanswered = 2,
                                   .due = 5,
                                   .client_utilisation = 0.1,
                                   .start_skew_us = 1234.5,
                                   .retransmits = 6,
                                   .latency = "HISTOGRAM",
                                   .late = ""};

void expect_equal(const generator_share& one, const generator_share& other) {
  BOOST_TEST(one.seconds == other.seconds);
  BOOST_TEST(one.messages == other.messages);
  BOOST_TEST(one.messages_in_all == other.messages_in_all);
  BOOST_TEST(one.unanswered == other.unanswered);
  BOOST_TEST(one.due == other.due);
  BOOST_TEST(one.client_utilisation == other.client_utilisation);
  BOOST_TEST(one.start_skew_us == other.start_skew_us);
  BOOST_TEST(one.retransmits == other.retransmits);
  BOOST_TEST(one.latency == other.latency);
  BOOST_TEST(one.late == other.late);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(orders_as_text)

BOOST_AUTO_TEST_CASE(an_order_without_members_is_its_name) {
  BOOST_TEST(to_text(orders::introduce{}) == R"({"order":"introduce"})");
  carried(orders::introduce{});
  carried(orders::drop{});
  carried(orders::end{});
}

BOOST_AUTO_TEST_CASE(a_load_begins_with_its_whole_scenario) {
  for (const char* text : {"c64/512", "c16/16K/d16", "c64/64+10000idle", "c64/512/r20k",
                           "c64/512/r50%", "c16/64/churn", "c1/64K/stream", "c1/64K/oneway",
                           "c64/plaintext", "c64/json", "c1/fields", "c64/512/tls"}) {
    const orders::begin order{scenario::parse(text), 0xffff'ffff'ffff'ffffU, 2.5};
    const auto back = carried(order);
    BOOST_TEST(back.load.text() == text);
    BOOST_TEST((back.load == order.load));
    BOOST_TEST(back.seed == order.seed);
    BOOST_TEST(back.patience_seconds == order.patience_seconds);
  }
}

BOOST_AUTO_TEST_CASE(a_server_is_met_with_or_without_tls) {
  const auto plain = carried(orders::meet{"a \"b\"\n", "[::1]:25000", std::nullopt});
  BOOST_TEST(plain.name == "a \"b\"\n");
  BOOST_TEST(plain.where == "[::1]:25000");
  BOOST_TEST(!plain.tls_host);
  BOOST_TEST(carried(orders::meet{"a", "10.0.0.1:1", "a.example"}).tls_host.value() == "a.example");
}

BOOST_AUTO_TEST_CASE(numbers_of_connections_servers_and_rates_are_kept) {
  const auto connecting = carried(orders::connect{.server = 3, .total = 100'000});
  BOOST_TEST(connecting.server == 3u);
  BOOST_TEST(connecting.total == 100'000);
  const auto loading = carried(orders::load{{0, 2}, 1e7, 0.2});
  BOOST_TEST(loading.servers == (std::vector<std::size_t>{0, 2}), boost::test_tools::per_element());
  BOOST_TEST(loading.per_second == 1e7);
  BOOST_TEST(loading.seconds == 0.2);
}

BOOST_AUTO_TEST_CASE(an_order_that_is_not_known_is_refused) {
  for (const char* bad :
       {R"({"order":"sing"})", R"({"order":""})", R"({"order":7})", R"({"server":0,"total":64})",
        R"({"order":"connect"})", R"({"order":"connect","server":0})", "[]", "", "connect"})
    BOOST_CHECK_THROW(order_of(bad), std::exception);
}

BOOST_AUTO_TEST_CASE(an_empty_answer_stays_empty) {
  const auto back = answer_of(to_text(answer{}));
  BOOST_TEST(!back.failure);
  BOOST_TEST(!back.prefix);
  BOOST_TEST(!back.about);
  BOOST_TEST(back.shares.empty());
}

BOOST_AUTO_TEST_CASE(an_answer_keeps_all_that_a_generator_says) {
  for (const auto kind : {load_error::wrong_reply, load_error::connection_lost,
                          load_error::no_answer, load_error::cannot_connect, load_error::other}) {
    const auto back = answer_of(to_text(answer{.failure = load_failure{kind, "a: 'x'"}}));
    BOOST_TEST((back.failure.value().kind == kind));
    BOOST_TEST(back.failure->text == "a: 'x'");
  }
  answer said;
  said.prefix = "GOT:";
  said.about = {"1.0 Release", "6.1", "A CPU", 4, 20'000, 28'232, 17, "eth0 1000 Mb/s", 120};
  said.shares = {share_of_one, {}};
  const auto back = answer_of(to_text(said));
  BOOST_TEST(back.prefix.value() == "GOT:");
  const auto& about = back.about.value();
  BOOST_TEST(about.build == "1.0 Release");
  BOOST_TEST(about.kernel == "6.1");
  BOOST_TEST(about.cpu_model == "A CPU");
  BOOST_TEST(about.cpus == 4);
  BOOST_TEST(about.descriptors == 20'000);
  BOOST_TEST(about.ports == 28'232);
  BOOST_TEST(about.ports_used == 17);
  BOOST_REQUIRE(back.shares.size() == 2u);
  expect_equal(back.shares[0], share_of_one);
  expect_equal(back.shares[1], {});
}

// JSON is text in UTF-8, and a server may prefix its replies with any bytes.
BOOST_AUTO_TEST_CASE(a_prefix_of_any_bytes_arrives) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  answer said;
  said.prefix = all;
  BOOST_TEST((answer_of(to_text(said)).prefix.value() == all));
}

BOOST_AUTO_TEST_CASE(a_joint_answer_keeps_ranks_times_and_who_was_silent) {
  joint_answer said;
  said.ranks = {answer{}, answer{.failure = load_failure{load_error::other, "gone"}}};
  said.times = {{"latency", "service", "late"}};
  auto back = joint_answer_of(to_text(said));
  BOOST_REQUIRE(back.ranks.size() == 2u);
  BOOST_TEST(!back.ranks[0].failure);
  BOOST_TEST(back.ranks[1].failure.value().text == "gone");
  BOOST_REQUIRE(back.times.size() == 1u);
  BOOST_TEST(back.times[0].latency == "latency");
  BOOST_TEST(back.times[0].service == "service");
  BOOST_TEST(back.times[0].late == "late");
  BOOST_TEST(back.silent.empty());
  said.silent = {1, 3};
  BOOST_TEST(joint_answer_of(to_text(said)).silent == (std::vector{1, 3}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
