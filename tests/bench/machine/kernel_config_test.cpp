// What the kernel was built with stands in one of two files, or nowhere.
#include <bench/machine/kernel_config.hpp>
#include <bench/machine/machine.hpp>

#include <sys/utsname.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>

#include <tests/scratch_folder.hpp>

namespace {

// The root of a machine whose kernel came with these options.
struct machine_root : scratch_folder {
  explicit machine_root(const std::string& options) {
    utsname kernel{};
    uname(&kernel);
    std::filesystem::create_directories(path() / "boot");
    write("boot/config-" + std::string{kernel.release}, options);
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(an_option_of_the_kernel_is_what_follows_its_whole_name) {
  const machine_root root{"CONFIG_HZ_250=y\n# CONFIG_HZ_100 is not set\nCONFIG_HZ=250\n"};
  const bench::kernel_config config{root.path()};
  BOOST_TEST(config.is_known());
  BOOST_TEST(config.value("CONFIG_HZ").value() == "250");
  BOOST_TEST(!config.value("CONFIG_HZ_100").has_value());
  BOOST_TEST(!config.value("HZ").has_value());
  BOOST_TEST(!bench::kernel_config{root.path() / "boot"}.is_known());
}

BOOST_AUTO_TEST_CASE(the_description_of_a_machine_says_how_its_kernel_keeps_time) {
  const machine_root with{"CONFIG_IRQ_TIME_ACCOUNTING=y\nCONFIG_HZ=1000\n"};
  const auto found = bench::describe_machine(with.path());
  BOOST_TEST(found.tick_hz.value() == 1000);
  BOOST_TEST(found.irq_time.value());
  const machine_root without{"CONFIG_HZ=100\n"};
  BOOST_TEST(!bench::describe_machine(without.path()).irq_time.value());
  const scratch_folder silent;
  const auto unknown = bench::describe_machine(silent.path());
  BOOST_TEST(!unknown.tick_hz.has_value());
  BOOST_TEST(!unknown.irq_time.has_value());
  BOOST_TEST(!unknown.caches.has_value());
  BOOST_TEST(!unknown.clock_rate.has_value());
}
