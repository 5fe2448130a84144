// parse() and text() are inverse, and parse() refuses every other name.
#include <fmt/format.h>

#include <bench/record/scenario.hpp>
#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>

using bench::scenario;

BOOST_AUTO_TEST_CASE(a_scenario_is_its_name) {
  for (const auto* name : {"c1/64",
                           "c64/512",
                           "c16/16K",
                           "c16/64/d16",
                           "c256/1000",
                           "c2/1K/d2",
                           "c64/512/r50%",
                           "c64/512/r20k",
                           "c1/64/r1500",
                           "c4/64/d4/r100%",
                           "c16/64/churn",
                           "c64/64+10000idle",
                           "c2/1K+5idle/d2/r1k",
                           "c1/64K/stream",
                           "c16/16K/oneway",
                           "c64/plaintext",
                           "c64/json/d16",
                           "c64/json+100idle/r50%",
                           "c4/json/churn",
                           "c1/fields",
                           "c64/512/tls",
                           "c16/64/churn/tls",
                           "c1/64K/stream/tls",
                           "c2/1K+5idle/d2/r1k/tls"}) {
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
                                 "c1/1000/stream",
                                 "c1/64K/d4/stream",
                                 "c1/64K/r5k/oneway",
                                 "c1/64K+5idle/stream",
                                 "c1/64K/stream/oneway",
                                 "c1/64K/churn/stream",
                                 "c1/64K/streams",
                                 "c1/json/stream",
                                 "c1/jsonp",
                                 "c1/jsonK",
                                 "c1/json/tls",
                                 "c1/fields/d2",
                                 "c1/fields/churn",
                                 "c1/64K/oneway/tls",
                                 "c1/64/tls/tls",
                                 "c1/64/tls/churn",
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

BOOST_AUTO_TEST_CASE(at_the_full_rate_a_load_keeps_all_but_its_rate) {
  for (const auto* name : {"c64/512/r10%", "c64/512/r20k", "c64/512"})
    BOOST_TEST(scenario::parse(name).at_full_rate().text() == "c64/512", name);
  BOOST_TEST(scenario::parse("c16/64+9idle/d4/r5%").at_full_rate().text() == "c16/64+9idle/d4");
  BOOST_TEST(scenario::parse("c16/64/churn").at_full_rate().text() == "c16/64/churn");
}

BOOST_AUTO_TEST_CASE(of_a_stream_two_messages_are_on_their_way_and_more_up_to_64_kib) {
  BOOST_TEST(scenario::parse("c1/64K/stream").depth == 2);
  BOOST_TEST(scenario::parse("c16/16K/oneway").depth == 4);
  BOOST_TEST(scenario::parse("c1/1K/stream").depth == 64);
  BOOST_TEST(scenario::parse("c1/1024K/stream").depth == 2);
  BOOST_TEST(!scenario::parse("c1/64K/stream").one_way);
  BOOST_TEST(scenario::parse("c1/64K/oneway").stream);
}
