// What names an address; generator_test and echobench_test connect to them.
#include <netinet/in.h>

#include <bench/contract/descriptor.hpp>
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

BOOST_AUTO_TEST_CASE(the_addresses_of_this_host_are_without_loopback_and_have_the_port) {
  for (const auto& each : bench::address::all_of_this_host(25000)) {
    BOOST_TEST(bench::port_of(each) == 25000);
    BOOST_TEST(!each.text.starts_with("127."));
    BOOST_TEST(!each.text.starts_with("[::1]"));
    BOOST_TEST(!each.text.starts_with("[fe80:"));
    const bench::descriptor socket{::socket(each.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    auto any_port = each;
    reinterpret_cast<sockaddr_in&>(any_port.storage).sin_port = 0;  // as in sockaddr_in6
    BOOST_TEST(::bind(socket.get(), any_port.get(), any_port.length) == 0, each.text);
  }
}
