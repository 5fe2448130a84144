// A server of others that is missing or broken leaves the run. One of this project ends it.
#include <bench/measure/preparation.hpp>
#include <bench/text/failure.hpp>

#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>
#include <vector>

#include <tests/bench/measure/requests.hpp>

namespace {

// Starts no server: one of them fails by what it is told to throw.
struct failing_test_bed : bench::test_bed {
  failing_test_bed(std::string server, std::function<void()> how)
      : failing{std::move(server)}, fail{std::move(how)} {}

  std::string failing;
  std::function<void()> fail;

  duration now() override { return {}; }
  bench::introduction introduce(const std::string& server) override {
    if (server == failing) fail();
    return {};
  }
  std::vector<bench::memory_sample> measure_memory(const std::string&, const std::vector<int>&,
                                                   std::vector<bench::caveat>&) override {
    return {};
  }
  bench::kernel_sample count_calls(const std::string&, const bench::scenario&, duration,
                                   duration) override {
    return {};
  }
  void launch(const std::vector<std::string>&, const bench::scenario&) override {}
  std::vector<bench::slice> load(const std::vector<std::size_t>&, duration) override { return {}; }
  std::vector<bench::slice> load_at_rate(const std::vector<std::size_t>&, double,
                                         duration) override {
    return {};
  }
  bench::disturbance finish() override { return {}; }
  void abandon() noexcept override {}
};

template <class Failure>
std::function<void()> throws(const std::string& words) {
  return [words] { throw Failure{words}; };
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_server_of_others_that_fails_leaves_the_run_with_its_reason) {
  for (const auto& fail : {throws<bench::not_available>("why"), throws<bench::server_failed>("why"),
                           throws<bench::wrong_reply>("why")}) {
    auto plan = plan_run(asking("peers"));
    failing_test_bed bed{"go/epoll", fail};
    leave_out_missing(plan, bed);
    BOOST_REQUIRE(plan.left_out.size() == 1U);
    BOOST_TEST(text_of(plan.left_out.front()) == "go/epoll was left out: why");
    for (const auto& each : plan.servers) BOOST_TEST(each.name != "go/epoll");
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_fault_of_that_server_ends_the_run) {
  auto plan = plan_run(asking("peers"));
  failing_test_bed bed{"go/epoll", throws<bench::run_invalid>("cannot pin")};
  BOOST_CHECK_THROW(leave_out_missing(plan, bed), bench::run_invalid);
}

BOOST_AUTO_TEST_CASE(a_server_of_this_project_may_be_missing_but_not_broken) {
  const auto request = comparing({"fibers/epoll", "asio-callback/epoll", "fibers/io_uring"});
  auto plan = plan_run(request);
  failing_test_bed missing{"fibers/io_uring", throws<bench::not_available>("why")};
  leave_out_missing(plan, missing);
  BOOST_TEST(plan.left_out.size() == 1U);
  plan = plan_run(request);
  failing_test_bed broken{"fibers/io_uring", throws<bench::wrong_reply>("why")};
  BOOST_CHECK_THROW(leave_out_missing(plan, broken), bench::wrong_reply);
}
