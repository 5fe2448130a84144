// The processors that are chosen, and what is recorded of a machine.
#include <bench/machine/machine.hpp>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>

#include <tests/scratch_folder.hpp>

BOOST_AUTO_TEST_CASE(the_processors_chosen_are_two_that_are_allowed) {
  BOOST_TEST(!bench::choose_pins({3}).has_value());
  const auto pins = bench::choose_pins({0, 1});
  BOOST_REQUIRE(pins.has_value());
  BOOST_TEST(pins->server_cpu != pins->client_cpu);
}

BOOST_AUTO_TEST_CASE(the_description_of_a_machine_has_its_clock_rate_and_its_caches) {
  const scratch_folder root;
  std::filesystem::create_directories(root / "proc");
  root.write("proc/cpuinfo", "model name\t: A processor\ncpu MHz\t\t: 2449.998\n");
  for (const std::string index : {"index0", "index1"})
    std::filesystem::create_directories(root / "sys/devices/system/cpu/cpu0/cache" / index);
  const auto say = [&](const std::string& file, const std::string& text) {
    root.write("sys/devices/system/cpu/cpu0/" + file, text + '\n');
  };
  say("cache/index0/level", "1");
  say("cache/index0/type", "Data");
  say("cache/index0/size", "32K");
  say("cache/index1/level", "2");
  say("cache/index1/type", "Unified");
  say("cache/index1/size", "512K");
  auto found = bench::describe_machine(root.path());
  BOOST_TEST(!found.clock_rate.has_value());  // the present rate would differ from run to run
  BOOST_TEST(found.caches.value() == "L1d 32K, L2 512K");
  std::filesystem::create_directories(root / "sys/devices/system/cpu/cpu0/cpufreq");
  say("cpufreq/cpuinfo_max_freq", "3700000");
  BOOST_TEST(bench::describe_machine(root.path()).clock_rate.value() == "3700 MHz");
}

BOOST_AUTO_TEST_CASE(what_one_of_two_machines_does_not_say_is_no_difference_nor_is_the_commit) {
  bench::environment before, after;
  after.tick_hz = 250;
  before.commit = "4b61007";
  after.commit = "cfea05c";
  BOOST_TEST(differences_between(before, after).empty());
  before.tick_hz = 1000;
  BOOST_TEST(differences_between(before, after).size() == 1U);
  after.server_cpu = 0;
  BOOST_TEST(differences_between(before, after).size() == 2U);
}
