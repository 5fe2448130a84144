// choose_pins() gives the servers and the client different processors of those that are allowed.
#include <bench/machine/machine.hpp>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_CASE(the_processors_chosen_are_two_that_are_allowed) {
  BOOST_TEST(!bench::choose_pins({3}).has_value());
  const auto pins = bench::choose_pins({0, 1});
  BOOST_REQUIRE(pins.has_value());
  BOOST_TEST(pins->server_cpu != pins->client_cpu);
}
