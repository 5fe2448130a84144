// Memory per connection is the slope over the number of connections.
#include <bench/analysis/analysis.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <tests/bench/synthetic_run.hpp>

using bench::analyse;

BOOST_AUTO_TEST_CASE(memory_a_connection_is_the_slope_and_not_the_start) {
  const auto found = analyse(synthetic_run());
  const auto row = std::find_if(found.memory.begin(), found.memory.end(),
                                [](const auto& each) { return each.server == "fibers/epoll"; });
  BOOST_REQUIRE((row != found.memory.end()));
  BOOST_TEST(*row->kib_per_connection == 9.1, boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(memory_at_one_count_only_has_no_slope) {
  auto record = synthetic_run();
  record.memory.resize(1);
  BOOST_TEST(!analyse(record).memory.front().kib_per_connection);
}
