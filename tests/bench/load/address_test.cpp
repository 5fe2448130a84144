// What names an address; generator_test and echobench_test connect to them.
#include <bench/load/address.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>
#include <string>

BOOST_AUTO_TEST_CASE(the_last_colon_ends_a_host_and_brackets_are_left_out) {
  const auto found = bench::host_and_port::parse("[::1]:25000");
  BOOST_REQUIRE(found.has_value());
  BOOST_TEST(found->host == "::1");
  BOOST_TEST(found->port == 25000);
  for (const auto* wrong : {"", ":", "host", "host:", "host:0", "host:65536", "host:1x", "host:+1"})
    BOOST_TEST(!bench::host_and_port::parse(wrong).has_value(), wrong);
}

BOOST_AUTO_TEST_CASE(a_path_that_names_no_file_is_refused) {
  BOOST_TEST(bench::address::on_path("/tmp/echo").text == "/tmp/echo");
  for (const auto& wrong : {std::string{}, std::string{"\0echo", 5}, std::string{"/tmp/a\0b", 8},
                            std::string(108, 'x')})
    BOOST_CHECK_THROW(bench::address::on_path(wrong), bench::server_failed);
}
