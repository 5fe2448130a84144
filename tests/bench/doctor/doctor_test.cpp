// Each remark of the doctor, on a machine without problems and on one with this problem. A
// temporary folder replaces /proc and /sys, and the answers of the kernel are made up.
#include <bench/doctor/doctor.hpp>
#include <bench/text/options.hpp>
#include <bench/text/wrapped.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <functional>
#include <ostream>
#include <set>

#include <tests/scratch_folder.hpp>

namespace bench {
std::ostream& operator<<(std::ostream& out, health state) {
  return out << static_cast<int>(state);
}
}  // namespace bench

namespace {

using bench::health;
using bench::kernel_answers;

kernel_answers well() {
  return {.allowed = {0, 1},
          .pins = bench::pinning{0, 1},
          .pin_refusal = {},
          .foreign_cpu_share = 0.01,
          .steal_share = 0,
          .descriptors = 65'536,
          .guard_error = 0,
          .io_uring_error = 0,
          .tracepoint_refusal = {},
          .disk_bytes = std::uintmax_t{1} << 40,
          .debug_build = false,
          .by_steering = {{{{{2, 35, 29}}, {}}, {{{2, 33, 31}}, {}}, {{{2, 32, 32}}, {}}}}};
}

using files = std::vector<std::pair<std::string, std::string>>;

// A machine, and the expected remark on one subject.
struct patient {
  std::string about;
  health state;
  std::string says;  // a part of the remark
  files found = {};
  std::function<void(kernel_answers&)> change = [](kernel_answers&) {};

  friend std::ostream& operator<<(std::ostream& out, const patient& each) {
    return out << each.about << ": " << each.says;
  }
};

const std::string cpu = "sys/devices/system/cpu/";
const std::string clocks = "sys/devices/system/clocksource/clocksource0/";
const std::string kernel = "proc/sys/kernel/";

const std::vector<patient> patients{
    {"build", health::ok, "what a user would run"},
    {"build", health::problem, "refuses", {}, [](auto& a) { a.debug_build = true; }},

    {"processors", health::ok, "2 usable, no quota"},
    {"processors",
     health::ok,
     "no quota",
     {{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "max 100000\n"}}},
    {"processors",
     health::ok,
     "quota 2",
     {{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "200000 100000\n"}}},
    {"processors",
     health::problem,
     "quota 1.5",
     {{"proc/self/cgroup", "0::/a/b\n"},
      {"sys/fs/cgroup/a/cpu.max", "150000 100000\n"},
      {"sys/fs/cgroup/a/b/cpu.max", "max 100000\n"}}},
    {"processors",
     health::problem,
     "quota 0.5",
     {{"proc/self/cgroup", "3:cpu,cpuacct:/job\n0::/\n"},
      {"sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "50000\n"},
      {"sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n"}}},
    {"processors",
     health::ok,
     "no quota",
     {{"proc/self/cgroup", "3:cpu:/job\n"},
      {"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"},
      {"sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}}},
    {"processors", health::advice, "1 usable", {}, [](auto& a) { a.allowed = {0}; }},

    {"pinning", health::ok, "servers on cpu0, client on cpu1"},
    {"pinning", health::advice, "not pinned", {}, [](auto& a) { a.pins.reset(); }},
    {"pinning",
     health::problem,
     "cannot pin to CPU 0: Invalid argument",
     {},
     [](auto& a) { a.pin_refusal = "cannot pin to CPU 0: Invalid argument"; }},

    {"core", health::ok, "does not tell"},
    {"core",
     health::ok,
     "cpu0 has its core to itself",
     {{cpu + "cpu0/topology/thread_siblings_list", "0\n"},
      {cpu + "cpu1/topology/thread_siblings_list", "1\n"}}},
    {"core",
     health::advice,
     "servers and client share a core (cpu0-1)",
     {{cpu + "cpu0/topology/thread_siblings_list", "0-1\n"},
      {cpu + "cpu1/topology/thread_siblings_list", "0-1\n"}}},
    {"core",
     health::advice,
     "the other thread slows the servers",
     {{cpu + "cpu0/topology/thread_siblings_list", "0,4\n"},
      {cpu + "cpu1/topology/thread_siblings_list", "1,5\n"}}},

    {"other programs", health::ok, "1.0 %"},
    {"other programs", health::advice, "ps -eo", {}, [](auto& a) { a.foreign_cpu_share = 0.1; }},
    {"other programs", health::problem, "40.0 %", {}, [](auto& a) { a.foreign_cpu_share = 0.4; }},

    {"steal", health::ok, "0.0 %"},
    {"steal", health::advice, "10.0 %", {}, [](auto& a) { a.steal_share = 0.1; }},
    {"steal", health::problem, "40.0 %", {}, [](auto& a) { a.steal_share = 0.4; }},

    {"virtualization", health::ok, "none: levels are those", {{"proc/cpuinfo", "flags\t: fpu\n"}}},
    {"virtualization",
     health::ok,
     "kvm: levels wander",
     {{"proc/cpuinfo", "flags\t: fpu hypervisor\n"}, {"sys/class/dmi/id/sys_vendor", "QEMU\n"}}},

    {"governor", health::ok, "none here"},
    {"governor",
     health::ok,
     "performance",
     {{cpu + "cpu0/cpufreq/scaling_governor", "performance\n"}}},
    {"governor",
     health::advice,
     "cpupower",
     {{cpu + "cpu0/cpufreq/scaling_governor", "powersave\n"}}},

    {"turbo", health::ok, "not told"},
    {"turbo", health::ok, "off", {{cpu + "intel_pstate/no_turbo", "1\n"}}},
    {"turbo", health::ok, "off", {{cpu + "cpufreq/boost", "0\n"}}},
    {"turbo", health::advice, "echo 1 >", {{cpu + "intel_pstate/no_turbo", "0\n"}}},
    {"turbo", health::advice, "echo 0 >", {{cpu + "cpufreq/boost", "1\n"}}},

    {"mitigations", health::ok, "as cheap as they get"},
    {"mitigations",
     health::ok,
     "meltdown: PTI",
     {{cpu + "vulnerabilities/meltdown", "Mitigation: PTI\n"},
      {cpu + "vulnerabilities/mds", "Not affected\n"}}},

    {"clock", health::ok, "not told"},
    {"clock", health::ok, "tsc: ", {{clocks + "current_clocksource", "tsc\n"}}},
    {"clock", health::advice, "hpet: ", {{clocks + "current_clocksource", "hpet\n"}}},

    {"addresses", health::ok, "not told"},
    {"addresses", health::ok, "random", {{kernel + "randomize_va_space", "2\n"}}},
    {"addresses", health::advice, "lucky layout", {{kernel + "randomize_va_space", "0\n"}}},

    {"memory", health::ok, "not told"},
    {"memory",
     health::ok,
     "2048 MiB",
     {{"proc/meminfo", "MemTotal: 9 kB\nMemAvailable: 2097152 kB\n"}}},
    {"memory", health::advice, "512 MiB", {{"proc/meminfo", "MemAvailable: 524288 kB\n"}}},
    {"memory", health::problem, "64 MiB", {{"proc/meminfo", "MemAvailable: 65536 kB\n"}}},

    {"disk", health::ok, "free where the run"},
    {"disk", health::advice, "50 MiB", {}, [](auto& a) { a.disk_bytes = 50 << 20; }},
    {"disk", health::problem, "5 MiB", {}, [](auto& a) { a.disk_bytes = 5 << 20; }},

    {"descriptors", health::ok, "65,536"},
    {"descriptors", health::advice, "4,096", {}, [](auto& a) { a.descriptors = 4096; }},
    {"descriptors", health::problem, "ulimit", {}, [](auto& a) { a.descriptors = 256; }},

    {"ports", health::ok, "not told"},
    {"ports", health::ok, "enough", {{"proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n"}}},
    {"ports",
     health::advice,
     "1000 are too few",
     {{"proc/sys/net/ipv4/ip_local_port_range", "60000\t60999\n"}}},

    {"backlog", health::ok, "not told"},
    {"backlog", health::ok, "4096", {{"proc/sys/net/core/somaxconn", "4096\n"}}},
    {"backlog", health::advice, "somaxconn 128", {{"proc/sys/net/core/somaxconn", "128\n"}}},

    {"listeners", health::ok, "over 2 loops most:fewest are hash 35:29, port 33:31, turn 32:32"},
    {"listeners", health::ok, "not told", {}, [](auto& a) { a.by_steering = {}; }},
    {"listeners",
     health::ok,
     "hash 35:29, port 33:31, turn (Operation not permitted): the hash is even enough",
     {},
     [](auto& a) {
       a.by_steering[2] = {{}, "Operation not permitted"};
     }},
    {"listeners",
     health::ok,
     "hash 42:21",
     {},
     [](auto& a) {
       a.by_steering[0].shares = {{2, 42, 21}};
     }},
    {"listeners",
     health::advice,
     "over 2, 4 loops most:fewest are hash 35:29 25:12, port",
     {},
     [](auto& a) {
       a.by_steering[0].shares.push_back({4, 25, 12});
       a.allowed = {0, 1, 2, 3};
     }},
    {"listeners",
     health::ok,
     "hash 35:29 25:12, port 33:31, turn 32:32: the hash is even enough for the processors here",
     {},
     [](auto& a) {
       a.by_steering[0].shares.push_back({4, 25, 12});
     }},
    {"listeners",
     health::advice,
     "hash 64:0",
     {},
     [](auto& a) {
       a.by_steering[0].shares = {{2, 64, 0}};
     }},
    {"listeners",
     health::advice,
     "Permission denied: nothing is known of who gets a connection",
     {},
     [](auto& a) {
       a.by_steering[0] = {{}, "Permission denied"};
     }},

    {"io_uring", health::ok, "permitted"},
    {"io_uring", health::advice, "seccomp", {}, [](auto& a) { a.io_uring_error = EPERM; }},
    {"io_uring", health::advice, "Linux 5.1", {}, [](auto& a) { a.io_uring_error = ENOSYS; }},
    {"io_uring",
     health::advice,
     "sysctl -w kernel.io_uring_disabled=0",
     {{kernel + "io_uring_disabled", "2\n"}},
     [](auto& a) { a.io_uring_error = EPERM; }},

    {"stack guards", health::ok, "a million stacks"},
    {"stack guards", health::ok, "65,530", {}, [](auto& a) { a.guard_error = EINVAL; }},
    {"stack guards",
     health::advice,
     "9,000",
     {{"proc/sys/vm/max_map_count", "9000\n"}},
     [](auto& a) { a.guard_error = EINVAL; }},

    {"tracepoints", health::ok, "permitted"},
    {"tracepoints",
     health::advice,
     "perf_event_paranoid 4",
     {{kernel + "perf_event_paranoid", "4\n"}},
     [](auto& a) { a.tracepoint_refusal = "Permission denied"; }},

    {"Boost", health::ok, "1."},
};

// The text of a remark without its line breaks.
std::string line_of(const bench::remark& said) {
  auto line = text_of(said);
  for (const std::size_t indent : {25U, 9U}) {
    const auto broken = '\n' + std::string(indent, ' ');
    for (auto at = line.find(broken); at != std::string::npos; at = line.find(broken))
      line.replace(at, broken.size(), " ");
  }
  return line;
}

std::vector<bench::remark> remarks_on(const patient& each) {
  const scratch_folder root;
  for (const auto& [name, content] : each.found) {
    std::filesystem::create_directories((root / name).parent_path());
    root.write(name, content);
  }
  auto answers = well();
  each.change(answers);
  return bench::examine(root.path(), answers);
}

const bench::remark& remark_about(const std::vector<bench::remark>& all, const std::string& about) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.about == about; });
  BOOST_REQUIRE(found != all.end());
  return *found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_well_and_what_is_not_is_told_apart) {
  for (const auto& each : patients) {
    BOOST_TEST_CONTEXT(each) {
      const auto all = remarks_on(each);
      const auto& said = remark_about(all, each.about);
      BOOST_TEST(said.state == each.state);
      BOOST_TEST(line_of(said).find(each.says) != std::string::npos, text_of(said));
      BOOST_TEST(!said.means.empty());
      BOOST_TEST(said.remedy.empty() == (each.state == health::ok));
      BOOST_TEST(measurable(all) == (each.state != health::problem));
    }
  }
}

BOOST_AUTO_TEST_CASE(each_thing_is_said_once_and_has_been_tried_here) {
  std::set<std::string> tried;
  for (const auto& each : patients) tried.insert(each.about);
  const auto all = remarks_on({"build", health::ok, ""});
  BOOST_TEST(all.size() == tried.size());
  for (const auto& each : all) {
    BOOST_TEST(tried.count(each.about) == 1U, each.about);
    BOOST_TEST(line_of(each).find('\n') + 1 == line_of(each).size());
  }
}

BOOST_AUTO_TEST_CASE(no_line_is_wider_than_80_columns_however_long_the_values_are) {
  const auto expect_narrow = [](const std::string& text) {
    for (const auto& line : bench::split(text, '\n'))
      BOOST_TEST(bench::columns_of(line) <= 80, line);
  };
  for (const auto& each : patients) expect_narrow(text_of(remarks_on(each)));
  const std::string letters(200, 'x');
  const std::string umlauts = "\u00e4\u00f6\u00fc" + std::string(100, 'y') + "\u00e4";
  expect_narrow(bench::text_of(
      bench::remark{health::advice, "clock", letters, umlauts, letters + ' ' + letters}));
}

BOOST_AUTO_TEST_CASE(what_would_spoil_a_run_stands_first_and_what_is_well_last) {
  auto answers = well();
  answers.descriptors = 256;
  answers.allowed = {0};
  const scratch_folder root;
  const auto text = bench::text_of(bench::examine(root.path(), answers));
  const auto problem = text.find("problem  descriptors");
  const auto remedy = text.find("To change it: ulimit");
  const auto advice = text.find("\nadvice   processors");
  const auto fine = text.find("\nok       build");
  BOOST_TEST(problem == 0U);
  BOOST_TEST(problem < remedy);
  BOOST_TEST(remedy < advice);
  BOOST_TEST(advice < fine);
  BOOST_TEST(fine != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_kernel_of_this_machine_answers) {
  const auto answers = bench::ask_kernel("none", "a/folder/that/is/not/there");
  BOOST_TEST(!answers.allowed.empty());
  BOOST_TEST(!answers.pins);
  BOOST_TEST(answers.descriptors > 0);
  BOOST_TEST(answers.disk_bytes > 0U);
  BOOST_TEST(answers.foreign_cpu_share >= 0);
  BOOST_TEST(answers.foreign_cpu_share < 1.1);
  for (const auto& each : answers.by_steering) {
    BOOST_TEST(each.shares.empty() != each.refusal.empty());
    if (each.shares.empty()) continue;
    BOOST_TEST(each.shares.front().listeners == 2);
    BOOST_TEST(each.shares.front().most + each.shares.front().fewest == 64);
  }
}
