#include <bench/doctor/doctor.hpp>

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace {

using bench::generator_description;
using bench::health;
using bench::load_host;
using bench::remark;

generator_description a_host() {
  return {.build = "0.1.0",
          .kernel = "Linux 6.12",
          .cpu_model = "a CPU",
          .cpus = 4,
          .descriptors = 1'000'000,
          .ports = 28'232,
          .ports_used = 32,
          .links = "eth0 10000 Mb/s",
          .start_skew_us = 120};
}

std::vector<remark> examined_hosts(const generator_description& one, int generators = 1) {
  const std::vector<generator_description> all(static_cast<std::size_t>(generators), one);
  return bench::examine_hosts({{"a", generators, one.kernel, one.cpu_model, one.cpus}}, all);
}

std::string said_of(const std::vector<remark>& remarks, health state) {
  std::string text;
  for (const auto& each : remarks)
    if (each.state == state)
      text += each.about + ": " + each.read + ": " + each.means + each.remedy;
  return text;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(doctor_of_hosts)

BOOST_AUTO_TEST_CASE(a_host_that_is_well_needs_nothing) {
  const auto all = examined_hosts(a_host(), 2);
  BOOST_TEST(said_of(all, health::advice) == "");
  BOOST_TEST(said_of(all, health::problem) == "");
  const auto good = said_of(all, health::ok);
  BOOST_TEST(holds(good, "2 generators, 4 CPUs (a CPU), kernel Linux 6.12"), good);
  BOOST_TEST(holds(good, "28,200 ports left"), good);
  BOOST_TEST(holds(good, "eth0 10000 Mb/s; begins at most 120 us from the others"), good);
}

BOOST_AUTO_TEST_CASE(more_generators_than_cpus_are_advised_against) {
  const auto advice = said_of(examined_hosts(a_host(), 5), health::advice);
  BOOST_TEST(holds(advice, "5 generators"), advice);
  BOOST_TEST(holds(advice, "--from a:4"), advice);
}

BOOST_AUTO_TEST_CASE(few_files_and_few_ports_are_advised_against) {
  auto one = a_host();
  one.descriptors = 1024;
  BOOST_TEST(holds(said_of(examined_hosts(one), health::advice), "1,024 files for each generator"));
  one = a_host();
  one.ports_used = 20'000;
  const auto advice = said_of(examined_hosts(one), health::advice);
  BOOST_TEST(holds(advice, "8,232 ports left"), advice);
  BOOST_TEST(holds(advice, "--source a=ADDRESS"), advice);
}

BOOST_AUTO_TEST_CASE(the_generator_that_begins_farthest_from_the_others_counts) {
  auto late = a_host();
  late.start_skew_us = 2'500;
  const auto all =
      bench::examine_hosts({{"a", 1, "", "", 4}, {"b", 2, "", "", 4}}, {a_host(), a_host(), late});
  const auto advice = said_of(all, health::advice);
  BOOST_TEST(holds(advice, "b: "), advice);
  BOOST_TEST(!holds(advice, "a: "), advice);
  BOOST_TEST(holds(advice, "2,500 us"), advice);
}

// It comes from another host, and would reach the terminal.
BOOST_AUTO_TEST_CASE(what_a_host_says_of_itself_is_shown_escaped) {
  auto one = a_host();
  one.links = "eth\x1b[2J";
  one.cpu_model = "\x1b[31m";
  const auto text = said_of(examined_hosts(one), health::ok);
  BOOST_TEST(!holds(text, "\x1b"), text);
}

BOOST_AUTO_TEST_SUITE_END()
