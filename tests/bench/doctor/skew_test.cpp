#include <bench/doctor/skew.hpp>

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <iterator>

namespace {

using bench::steering;

long open_descriptors() {
  return std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {});
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_connection_is_counted_for_each_number_of_listeners) {
  const auto before = open_descriptors();
  for (const auto how : {steering::by_hash, steering::by_port}) {
    const auto found = bench::share_out(how, {1, 2, 4});
    BOOST_TEST(found.refusal == "");
    BOOST_REQUIRE(found.shares.size() == 3U);
    BOOST_TEST(found.shares[0].most == 64);
    BOOST_TEST(found.shares[0].fewest == 64);
    BOOST_TEST(found.shares[1].most + found.shares[1].fewest == 64);
    BOOST_TEST(found.shares[2].listeners == 4);
    BOOST_TEST(found.shares[2].most >= 16);
    BOOST_TEST(found.shares[2].fewest <= 16);
  }
  BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_CASE(in_turn_all_listeners_get_as_many_or_the_kernel_says_why_not) {
  const auto found = bench::share_out(steering::in_turn, {4, 8});
  if (!found.refusal.empty()) {
    BOOST_TEST_MESSAGE("skipped: " << found.refusal);
    BOOST_TEST(found.shares.empty());
    return;
  }
  for (const auto& each : found.shares) BOOST_TEST(each.most == each.fewest);
}

BOOST_AUTO_TEST_CASE(where_descriptors_run_out_there_is_a_reason_and_nothing_stays_open) {
  const auto before = open_descriptors();
  rlimit usual{};
  getrlimit(RLIMIT_NOFILE, &usual);
  const rlimit few{static_cast<rlim_t>(before + 8), usual.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  const auto found = bench::share_out(steering::by_hash, {2});
  setrlimit(RLIMIT_NOFILE, &usual);
  BOOST_TEST(found.shares.empty());
  BOOST_TEST(found.refusal == "Too many open files");
  BOOST_TEST(open_descriptors() == before);
}
