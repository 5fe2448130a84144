// What --from and the options beside it mean, and what is refused in one line.
#include <bench/hosts/request.hpp>

#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>

#include <tests/texts.hpp>

using bench::host_options;
using bench::parse_hosts;

namespace {

using address_list = std::vector<std::string>;

void refuses(const host_options& given, const std::string& text) {
  BOOST_TEST_CONTEXT(text) {
    BOOST_CHECK_EXCEPTION(parse_hosts(given), bench::usage_error, saying(text));
    try {
      parse_hosts(given);
    } catch (const bench::usage_error& error) {
      BOOST_TEST(!contains(error.what(), "\n"));
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hosts_request)

BOOST_AUTO_TEST_CASE(hosts_have_names_and_numbers_of_generators) {
  const auto found = parse_hosts({.from = "a:2,b,user@10.0.0.7:3"});
  BOOST_REQUIRE(found.hosts.size() == 3u);
  BOOST_TEST(found.hosts[0].name == "a");
  BOOST_TEST(found.hosts[0].generators == 2);
  BOOST_TEST(found.hosts[1].name == "b");
  BOOST_TEST(found.hosts[1].generators == 1);
  BOOST_TEST(found.hosts[2].name == "user@10.0.0.7");
  BOOST_TEST(found.generators() == 6);
  BOOST_TEST(found.launcher == "ssh");
  BOOST_TEST(found.network.empty());
}

BOOST_AUTO_TEST_CASE(addresses_belong_to_the_host_that_they_are_given_to) {
  const auto found =
      parse_hosts({.from = "a,b", .sources = {"a=127.0.0.2,127.0.0.3", "b=::1", "a=127.0.0.4"}});
  const address_list of_a{"127.0.0.2", "127.0.0.3", "127.0.0.4"};
  BOOST_TEST(found.hosts[0].sources == of_a, boost::test_tools::per_element());
  BOOST_TEST(found.hosts[1].sources == address_list{"::1"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_only_host_need_not_be_named_again) {
  const auto found = parse_hosts({.from = "a", .sources = {"127.0.0.2"}});
  BOOST_TEST(found.hosts[0].sources == address_list{"127.0.0.2"}, boost::test_tools::per_element());
  const auto own = bench::own_sources({.sources = {"127.0.0.2,127.0.0.3"}});
  BOOST_TEST(own.size() == 2u);
  BOOST_TEST(bench::own_sources({}).empty());
}

BOOST_AUTO_TEST_CASE(hosts_can_be_left_out) {
  const auto found = parse_hosts({.from = "a:2,b,c", .without = "a,c"});
  BOOST_REQUIRE(found.hosts.size() == 1u);
  BOOST_TEST(found.hosts[0].name == "b");
  BOOST_TEST(found.left_out == (address_list{"a", "c"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_no_host_is_refused) {
  for (const std::string bad : {":2", "-a", "a b", "a;b", "$a", "a/b", "*"})
    refuses({.from = bad}, "--from '" + bad + "' wants HOST or HOST:N");
  refuses({.from = "a,,b"}, "--from '' wants HOST or HOST:N");
  for (const std::string bad : {"a:0", "a:-1", "a:1001", "a:x", "a:", "a:2:3", "a:1.5"})
    refuses({.from = "b," + bad},
            "--from '" + bad + "': the number of generators is not 1 to 1000");
  refuses({.from = "a,b,a:2"}, "--from 'a,b,a:2' names a twice");
}

BOOST_AUTO_TEST_CASE(what_is_no_source_is_refused) {
  refuses({.from = "a,b", .sources = {"127.0.0.2"}},
          "--source '127.0.0.2' wants the host too, as in a=127.0.0.2");
  refuses({.from = "a,b", .sources = {"c=127.0.0.2"}},
          "--source 'c=127.0.0.2': --from names only a, b");
  for (const std::string bad : {"eth0", "127.0.0.2/8", "1.2.3.4.5", "a.example"})
    refuses({.from = "a", .sources = {bad}},
            "--source '" + bad + "': '" + bad + "' is no IPv4 or IPv6 address");
  refuses({.from = "a", .sources = {"a=127.0.0.2,,127.0.0.3"}}, "'' is no IPv4 or IPv6 address");
  refuses({.from = "a", .sources = {"a="}}, "--source 'a='");
}

BOOST_AUTO_TEST_CASE(who_is_left_out_must_have_been_named_and_one_host_must_stay) {
  refuses({.from = "a,b", .without = "c"}, "--without 'c': --from names only a, b");
  refuses({.from = "a,b", .without = "a,a"}, "--without 'a': --from names only b");
  refuses({.from = "a,b", .without = "b,a"}, "--without 'b,a' leaves no host");
}

BOOST_AUTO_TEST_SUITE_END()
