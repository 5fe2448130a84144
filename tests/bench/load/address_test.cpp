// What names an address; generator_test and echobench_test connect to them.
#include <sys/socket.h>

#include <bench/contract/descriptor.hpp>
#include <bench/load/address.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>
#include <string>

namespace {

// Listens on a port of its own at a numeric address, which may stand in brackets.
class listener {
 public:
  explicit listener(std::string number)
      : where_{bench::address::resolve_all(unbracketed(std::move(number)), 0).front()},
        socket_{::socket(where_.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    BOOST_TEST(::bind(socket_.get(), where_.get(), where_.length) == 0, where_.text);
    BOOST_TEST(::listen(socket_.get(), 8) == 0);
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&where_.storage), &where_.length);
  }
  const bench::address& where() const { return where_; }

 private:
  static std::string unbracketed(std::string number) {
    return number.starts_with('[') ? number.substr(1, number.size() - 2) : number;
  }

  bench::address where_;
  bench::descriptor socket_;
};

}  // namespace

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
    BOOST_TEST(listener{each.text.substr(0, each.text.rfind(':'))}.where().accepts_here());
  }
}

BOOST_AUTO_TEST_CASE(an_address_of_another_host_does_not_accept_here) {
  const listener own{"127.0.0.1"};
  BOOST_TEST(own.where().accepts());
  BOOST_TEST(own.where().accepts_here());
  const auto port = bench::port_of(own.where());
  BOOST_TEST(!bench::address::resolve_all("198.51.100.77", port).front().accepts_here());
}
