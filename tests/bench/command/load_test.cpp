// echobench load, from outside: its ways to name a load, its exit codes, what it writes and where.
#include <signal.h>

#include <fmt/format.h>
#include <bench/selftest/odd_server.hpp>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <tests/bench/command/echobench.hpp>
#include <tests/bench/tls_echo_server.hpp>
#include <tests/deaf_port.hpp>
#include <tests/terminal_process.hpp>

namespace {

// Echoes, counts its replies, and hangs up after some of them.
struct counting_server {
  explicit counting_server(int hangs_up_after = 1 << 30)
      : server{{.reply =
                    [this](std::string_view got) {
                      ++replies;
                      return std::string{got};
                    },
                .hang_up = [this, hangs_up_after] { return replies >= hangs_up_after; }}} {}

  std::string target() const { return "127.0.0.1:" + std::to_string(server.port()); }

  std::atomic<int> replies{0};
  odd_server server;
};

boost::json::value json_in(const std::string& text) {
  boost::json::error_code error;
  auto found = boost::json::parse(text, error);
  BOOST_REQUIRE_MESSAGE(!error, text);
  return found;
}

// echobench cannot listen on a path, but any server can be given one.
class server_on_a_path {
 public:
  explicit server_on_a_path(const fs::path& path) {
    const auto program = fs::read_symlink("/proc/self/exe").parent_path() / "floor_echo";
    pid_ = fork();
    if (pid_ == 0) {
      dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
      execl(program.c_str(), program.c_str(), "--unix", path.c_str(), nullptr);
      _exit(99);
    }
    while (!fs::exists(path) && waitpid(pid_, nullptr, WNOHANG) == 0)
      std::this_thread::sleep_for(10ms);
  }
  ~server_on_a_path() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  server_on_a_path(const server_on_a_path&) = delete;
  server_on_a_path& operator=(const server_on_a_path&) = delete;

 private:
  pid_t pid_;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_load_has_the_name_that_it_has_in_a_run, echobench) {
  const counting_server any;
  for (const auto& [options, name] : std::vector<std::pair<words, std::string>>{
           {{}, "c64/512 "},
           {{"--load", "c2/100/d3"}, "c2/100/d3 "},
           {{"--load", "c2/64", "--size", "64"}, "c2/64 "},
           {{"--connections", "3", "--size", "17"}, "c3/17 "},
           {{"--load", "c2/64", "--rate", "1k"}, "c2/64/r1k   open loop"},
           {{"--load", "c2/64", "--churn"}, "c2/64/churn   closed loop"},
           {{"--load", "c2/64+3idle"}, "c2/64+3idle "}}) {
    words given{"load", any.target(), "--duration", "50ms"};
    given.insert(given.end(), options.begin(), options.end());
    const auto ended = run(given);
    BOOST_TEST(ended.exit_code == 0, ended.err);
    BOOST_TEST(holds(ended.out, "   " + name), ended.out);
    BOOST_TEST(ended.err.empty(), ended.err);  // nothing live in a pipe
  }
}

BOOST_FIXTURE_TEST_CASE(a_server_on_a_path_can_be_loaded, echobench) {
  const auto path = folder / "echo";
  const server_on_a_path running{path};
  const auto ended = run({"load", "unix:" + path.string(), "--duration", "50ms"});
  BOOST_TEST(ended.exit_code == 0, ended.err);
  BOOST_TEST(holds(ended.out, "every byte compared"), ended.out);
}

BOOST_FIXTURE_TEST_CASE(json_on_standard_output_stands_there_alone, echobench) {
  const counting_server any;
  const auto ended =
      run({"load", any.target(), "--duration", "50ms", "--rate", "500", "--json", "-"});
  BOOST_TEST(ended.exit_code == 0, ended.err);
  const auto form = json_in(ended.out);
  BOOST_TEST(form.at("end").as_string() == "complete");
  BOOST_TEST(form.at("load").as_string() == "c64/512/r500");
  BOOST_TEST(form.at("measured").at("messages").to_number<int>() > 0);
}

BOOST_FIXTURE_TEST_CASE(clients_on_several_threads_are_one_result, echobench) {
  const counting_server any;
  const words two{"load", any.target(), "--duration", "50ms", "--threads", "2"};
  const auto shown = run(two);
  BOOST_TEST(shown.exit_code == 0, shown.err);
  BOOST_TEST(holds(shown.out, " % of a core, the busiest of 2 threads"), shown.out);
  auto written = two;
  written.insert(written.end(), {"--json", "-"});
  BOOST_TEST(json_in(run(written).out).at("client_threads").as_int64() == 2);
}

BOOST_FIXTURE_TEST_CASE(a_server_under_tls_can_be_loaded_and_one_without_is_told, echobench) {
  const tls_echo_server secure;
  const words options{"--duration", "50ms", "--connections", "4", "--tls", "--json", "load.json"};
  words given{"load", fmt::format("localhost:{}", secure.port())};
  given.insert(given.end(), options.begin(), options.end());
  const auto ended = run(given);
  BOOST_TEST(ended.exit_code == 0, ended.err);
  BOOST_TEST(holds(ended.out, "   closed loop, TLS   "), ended.out);
  BOOST_TEST(json_in(folder.read("load.json")).at("tls").as_bool());
  BOOST_TEST(secure.asked_by_name() == 1 + 4);
  const counting_server plain;
  given[1] = plain.target();
  const auto refused = run(given);
  BOOST_TEST(refused.exit_code == 3);
  BOOST_TEST(holds(refused.err, ": no TLS handshake: "), refused.err);
  BOOST_TEST(lines_in(refused.err) == 1);
}

BOOST_FIXTURE_TEST_CASE(an_expectation_decides_the_exit_code, echobench) {
  const counting_server any;
  const auto expecting = [&](const char* limit) {
    return run({"load", any.target(), "--duration", "50ms", "--expect", "p50<100s", "--expect",
                limit, "--json", "load.json"});
  };
  BOOST_TEST(expecting("rate>1").exit_code == 0);
  const auto ended = expecting("rate>9M");
  BOOST_TEST(ended.exit_code == 1);
  BOOST_TEST(holds(ended.out, "expected     rate>9M: measured "), ended.out);
  BOOST_TEST(holds(ended.out, "/s, fails"), ended.out);
  const auto written = json_in(folder.read("load.json"));
  BOOST_TEST(written.at("expectations").at(0).at("holds").as_bool());
  BOOST_TEST(!written.at("expectations").at(1).at("holds").as_bool());
}

BOOST_FIXTURE_TEST_CASE(who_interrupts_a_load_sees_what_it_measured, echobench) {
  const counting_server any;
  start({"load", any.target(), "--duration", "60m", "--json", "load.json"});
  while (any.replies < 1000) std::this_thread::sleep_for(1ms);
  kill(pid, SIGINT);
  const auto ended = wait();
  BOOST_TEST(ended.exit_code == 130);
  BOOST_TEST(holds(ended.out, "every byte compared"), ended.out);
  BOOST_TEST(json_in(folder.read("load.json")).at("end").as_string() == "interrupted");
}

BOOST_FIXTURE_TEST_CASE(who_interrupts_a_load_that_waits_for_its_first_reply_is_heard, echobench) {
  for (const char* threads : {"1", "3"}) {
    const odd_server silent{{.reply = [](std::string_view) { return std::string{}; }}};
    start({"load", fmt::format("127.0.0.1:{}", silent.port()), "--threads", threads});
    while (silent.accepted() == 0) std::this_thread::sleep_for(1ms);
    kill(pid, SIGINT);
    BOOST_TEST(wait().exit_code == 130);
  }
}

BOOST_FIXTURE_TEST_CASE(an_interruption_does_not_hide_that_the_server_stalls, echobench) {
  std::atomic<int> replies{0};
  std::atomic<bool> released{false};
  const odd_server stalling{{.reply = [&](std::string_view got) {
    while (++replies > 200 && !released) std::this_thread::sleep_for(1ms);
    return std::string{got};
  }}};
  start({"load", "127.0.0.1:" + std::to_string(stalling.port()), "--load", "c4/64/r1k",
         "--duration", "60m", "--expect", "p90<10s", "--json", "load.json"});
  while (replies < 900) std::this_thread::sleep_for(1ms);
  kill(pid, SIGINT);
  const auto ended = wait();
  released = true;
  BOOST_TEST(ended.exit_code == 130);
  BOOST_TEST(holds(ended.out, "p90<10s: measured never, fails"), ended.out);
}

BOOST_FIXTURE_TEST_CASE(a_server_that_hangs_up_ends_the_load_with_what_was_measured, echobench) {
  const counting_server dying{2000};
  const auto ended = run({"load", dying.target(), "--duration", "60m", "--json", "load.json"});
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(lines_in(ended.err) == 1, ended.err);
  BOOST_TEST(holds(ended.err, "closed connection"), ended.err);
  BOOST_TEST(holds(ended.out, "errors       a lost connection"), ended.out);
  const auto written = json_in(folder.read("load.json"));
  BOOST_TEST(written.at("end").as_string() == "failed");
  BOOST_TEST(written.at("failure").at("kind").as_string() == "connection_lost");
}

BOOST_FIXTURE_TEST_CASE(nothing_listening_is_one_line_and_no_result, echobench) {
  const deaf_port deaf;
  const auto ended = run({"load", "127.0.0.1:" + std::to_string(deaf.number())});
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(ended.out.empty(), ended.out);
  BOOST_TEST(lines_in(ended.err) == 1, ended.err);
  BOOST_TEST(holds(ended.err, "cannot connect to"), ended.err);
}

BOOST_FIXTURE_TEST_CASE(a_name_that_does_not_resolve_is_a_result_as_well, echobench) {
  const auto ended = run({"load", "no.such.name.invalid:1", "--json", "-"});
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(lines_in(ended.err) == 1, ended.err);
  const auto written = json_in(ended.out);
  BOOST_TEST(written.at("target").as_string() == "no.such.name.invalid:1");
  BOOST_TEST(written.at("failure").at("kind").as_string() == "cannot_connect");
}

BOOST_FIXTURE_TEST_CASE(a_limit_that_holds_at_no_rate_is_exit_code_1, echobench, *each_command) {
  const counting_server any;
  const auto ended = run({"load", any.target(), "--load", "c4/64", "--duration", "1500ms",
                          "--find-rate", "p50<1ns", "--json", "load.json"});
  BOOST_TEST(ended.exit_code == 1, ended.err);
  BOOST_TEST(holds(ended.out, "p50<1ns held twice at no rate"), ended.out);
  const auto search = json_in(folder.read("load.json")).at("find_rate");
  BOOST_TEST(search.at("rate_per_second").is_null());
  BOOST_TEST(search.at("steps").as_array().size() >= 2);
}

BOOST_FIXTURE_TEST_CASE(a_terminal_shows_a_live_line_until_ctrl_c, echobench) {
  const counting_server any;
  terminal_process load{{program.string(), "load", any.target(), "--duration", "60m"},
                        folder.path()};
  BOOST_TEST(load.shows(" left 59:"), load.output());
  load.press("\x03");
  BOOST_TEST(load.exit_code() == 130);
  BOOST_TEST(holds(load.output(), "every byte compared"), load.output());
}
