// Where the servers of a run start and where clients reach them, as --on, --from and --target say.
#include <bench/hosts/servers/place.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>
#include <optional>
#include <string>
#include <vector>

#include <tests/texts.hpp>

using bench::usage_error;

namespace {

using servers = std::vector<bench::server_info>;

servers bundled() {
  return {bench::find_server("floor/epoll"), bench::find_server("fibers/epoll")};
}

std::optional<bench::hosts_request> load_from(const std::string& hosts) {
  if (hosts.empty()) return std::nullopt;
  return bench::parse_hosts({.from = hosts});
}

// "HOST ADDRESS"; empty: this host, where the servers say.
std::string place(const std::string& on, const std::string& from, const servers& all = bundled()) {
  const auto found = bench::place_of_servers(bench::parse_place(on), load_from(from), all);
  return found ? found->host + " " + found->address : "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(servers_that_only_this_host_loads_stay_where_they_say) {
  BOOST_TEST(place("", "").empty());
  BOOST_TEST(place("", "localhost:2").empty());
  BOOST_TEST(place("localhost", "").empty());
}

BOOST_AUTO_TEST_CASE(another_host_is_reached_at_the_address_given_or_where_its_name_leads) {
  BOOST_TEST(place("server=10.0.0.2", "") == "server 10.0.0.2");
  BOOST_TEST(place("server=localhost", "").starts_with("server "));
  BOOST_TEST(place("127.0.0.2", "") == "127.0.0.2 127.0.0.2");
  BOOST_TEST(place("me@127.0.0.1", "a,b") == "me@127.0.0.1 127.0.0.1");
}

BOOST_AUTO_TEST_CASE(a_host_whose_name_has_no_address_wants_one) {
  BOOST_CHECK_EXCEPTION(place("no-such-host.invalid", ""), usage_error,
                        saying("--on no-such-host.invalid: that name has no address here; --on "
                               "no-such-host.invalid=ADDRESS says where the load"));
  BOOST_CHECK_EXCEPTION(place("server=no-such-host.invalid", ""), usage_error,
                        saying("--on server=no-such-host.invalid: that is no address"));
}

BOOST_AUTO_TEST_CASE(servers_here_have_the_address_on_the_way_to_a_target_or_to_the_first_host) {
  BOOST_TEST(place("localhost=10.0.0.1", "a,b") == "localhost 10.0.0.1");
  BOOST_TEST(place("", "no-such-host.invalid,127.0.0.2") == "localhost 127.0.0.1");
  BOOST_TEST(place("localhost", "127.0.0.2") == "localhost 127.0.0.1");
  auto all = bundled();
  all.push_back({.name = "api", .command = "", .target = "127.0.0.1:25000"});
  BOOST_TEST(place("", "no-such-host.invalid", all) == "localhost 127.0.0.1");
}

BOOST_AUTO_TEST_CASE(where_no_name_leads_anywhere_the_line_says_which_option_helps) {
  BOOST_CHECK_EXCEPTION(place("", "localhost,no-such-host.invalid"), usage_error,
                        saying("--from no-such-host.invalid: the servers run here, and "
                               "no-such-host.invalid needs an address for them: --on "
                               "localhost=ADDRESS"));
}

BOOST_AUTO_TEST_CASE(a_run_that_starts_no_server_needs_no_address) {
  const servers target{{.name = "api", .command = "", .target = "10.0.0.1:25000"}};
  BOOST_TEST(place("", "no-such-host.invalid", target).empty());
  BOOST_CHECK_EXCEPTION(place("server=10.0.0.2", "", target), usage_error,
                        saying("--on server: the run starts no server"));
}

BOOST_AUTO_TEST_CASE(a_server_on_a_path_cannot_be_reached_from_another_host) {
  const servers all{bench::find_server("fibers/epoll/unix")};
  BOOST_CHECK_EXCEPTION(place("server=10.0.0.2", "", all), usage_error,
                        saying("fibers/epoll/unix: another host cannot reach a server on a Unix "
                               "socket"));
  BOOST_TEST(place("", "", all).empty());
}

BOOST_AUTO_TEST_CASE(what_is_no_host_is_refused) {
  for (const std::string wrong : {"=10.0.0.2", "server=", "-v", "a b"})
    BOOST_CHECK_EXCEPTION(bench::parse_place(wrong), usage_error,
                          saying("wants HOST or HOST=ADDRESS"));
  BOOST_TEST(!bench::parse_place(""));
}

BOOST_AUTO_TEST_CASE(the_bundled_servers_listen_on_all_addresses_if_they_can) {
  servers all{bench::find_server("fibers/epoll"),
              bench::find_server("libuv/epoll"),
              {"mine", "my_echo {port}", {}}};
  BOOST_TEST(bench::can_listen_everywhere(all[0]));
  BOOST_TEST(!bench::can_listen_everywhere(all[1]));
  BOOST_TEST(bench::can_listen_everywhere(all[2]));
  bench::listen_everywhere(all);
  BOOST_TEST(all[0].command.ends_with(" --host ''"));
  BOOST_TEST(all[1].command == bench::find_server("libuv/epoll").command);
  BOOST_TEST(all[2].command == "my_echo {port}");
}
