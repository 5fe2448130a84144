// generator_demo and multitask print the same bytes as the Python programs that they are modelled
// on.
#include <tests/child_process.hpp>

#include <boost/test/unit_test.hpp>
#include <string>

namespace {

// The command line of the test names the folder of the programs, after `--`.
ended_process run(const std::string& name) {
  const auto& suite = boost::unit_test::framework::master_test_suite();
  BOOST_REQUIRE(suite.argc == 2);
  return run_program({std::string{suite.argv[1]} + "/" + name});
}

constexpr auto generator_demo_output = R"(Starting countdown from 5
5
4
3
2
1
Countdown complete!
)";

constexpr auto multitask_output = R"(T-minus 10
T-minus 5
Up we go 0
T-minus 9
T-minus 4
Up we go 1
T-minus 8
T-minus 3
Up we go 2
T-minus 7
T-minus 2
Up we go 3
T-minus 6
T-minus 1
Up we go 4
T-minus 5
Task done
Up we go 5
T-minus 4
Up we go 6
T-minus 3
Up we go 7
T-minus 2
Up we go 8
T-minus 1
Up we go 9
Task done
Up we go 10
Up we go 11
Up we go 12
Up we go 13
Up we go 14
Up we go 15
Up we go 16
Up we go 17
Up we go 18
Up we go 19
Task done
)";

}  // namespace

int main(int argc, char** argv) {
  return run_tests_or_role({}, argc, argv);
}

BOOST_AUTO_TEST_CASE(generator_demo_counts_down_by_hand_and_by_loop) {
  const auto ended = run("generator_demo");
  BOOST_TEST(ended.exit_code == 0);
  BOOST_TEST(ended.output == generator_demo_output);
  BOOST_TEST(ended.errors == "");
}

BOOST_AUTO_TEST_CASE(multitask_takes_turns_in_the_order_of_the_task_list) {
  const auto ended = run("multitask");
  BOOST_TEST(ended.exit_code == 0);
  BOOST_TEST(ended.output == multitask_output);
  BOOST_TEST(ended.errors == "");
}
