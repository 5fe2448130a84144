// What a user of a terminal expects of any program: a version, help that fits, completion, a manual
// page, short names for runs, and a page that opens.
#include <fmt/format.h>
#include <algorithm>
#include <bench/record/record.hpp>
#include <bench/selftest/odd_server.hpp>
#include <bench/text/options.hpp>
#include <bench/text/wrapped.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>

#include <tests/bench/command/echobench.hpp>
#include <tests/bench/synthetic_run.hpp>

namespace data = boost::unit_test::data;

namespace {

const words command_names{"run",  "compare",  "duel",       "report", "doctor",
                          "load", "selftest", "completion", "man"};

std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

bool is_installed(const std::string& name) {
  return std::system(("command -v " + name + " >/dev/null").c_str()) == 0;
}

// A minimised Ubuntu has a man that only apologises, and no nroff.
bool shows_manuals() {
  return is_installed("man") && is_installed("nroff");
}

// The lines below "Examples:", without the blanks before them.
words examples_in(const std::string& help) {
  words found;
  const auto begin = help.find("\nExamples:\n");
  BOOST_REQUIRE(begin != std::string::npos);
  const auto lines = bench::split(help.substr(begin + 1), '\n');
  for (std::size_t i = 1; i < lines.size(); ++i) found.push_back(lines[i].substr(2));
  return found;
}

// A folder with three runs, and a shell whose PATH has echobench.
struct desk : echobench {
  desk() {
    for (const auto* name : {"20260101T000000Z", "20260102T000000Z", "20260103T000000Z"})
      add_run(std::string{"runs/"} + name);
    fs::create_directories(folder / "runs/20260104T000000Z");  // a run that never began
    setenv("PATH", (program.parent_path().string() + ":" + path).c_str(), 1);
  }
  ~desk() { setenv("PATH", path.c_str(), 1); }
  desk(const desk&) = delete;
  desk& operator=(const desk&) = delete;

  void add_run(const std::string& name, std::optional<std::string> label = {}) {
    fs::create_directories(folder / name);
    auto record = synthetic_run({.seed = ++seed_});
    record.header.started_utc = fmt::format("2026-01-0{}T00:00:00Z", seed_);
    record.header.label = std::move(label);
    folder.write(name + "/run.ndjson", ndjson_of(record));
  }

  outcome shell(const std::string& line, const fs::path& with = "/bin/sh") {
    const auto usual = program;
    program = with;
    const auto ended = run({"-c", line});
    program = usual;
    return ended;
  }

  // What bash offers for the last of these words, in its order.
  words offered_by_bash(const words& typed) {
    std::string line = "source <(echobench completion bash); COMP_WORDS=(";
    for (const auto& each : typed) line += quoted(each) + " ";
    line += "); COMP_CWORD=" + std::to_string(typed.size() - 1) + "; _echobench " +
            quoted(typed.front()) + "; printf '%s\\n' \"${COMPREPLY[@]}\"";
    const auto ended = shell(line, "/bin/bash");
    BOOST_TEST(ended.err.empty(), ended.err);
    auto offered = bench::split(ended.out, '\n');
    if (offered == words{""}) offered.clear();
    return offered;
  }

  std::string path = std::getenv("PATH");

 private:
  unsigned seed_ = 0;
};

bool has(const words& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(the_version_is_one_line_with_the_commit_where_it_is_known, echobench) {
  unsetenv("ECHOBENCH_COMMIT");
  const auto plain = run({"--version"});
  BOOST_TEST(plain.exit_code == 0);
  BOOST_TEST(lines_in(plain.out) == 1);
  BOOST_TEST(plain.out.starts_with("echobench 0."), plain.out);
  BOOST_TEST(holds(plain.out, ", Boost 1."), plain.out);
  BOOST_TEST(!holds(plain.out, "commit"), plain.out);
  setenv("ECHOBENCH_COMMIT", "4b61007\n-dirty", 1);
  const auto known = run({"--version"});
  unsetenv("ECHOBENCH_COMMIT");
  BOOST_TEST(lines_in(known.out) == 1);
  BOOST_TEST(holds(known.out, ", commit 4b61007\\x0A-dirty, "), known.out);
}

BOOST_FIXTURE_TEST_CASE(all_help_begins_with_its_use_and_fits_80_columns, echobench) {
  auto lines_of_commands = command_names;
  lines_of_commands.emplace_back();
  for (const auto& command : lines_of_commands) {
    BOOST_TEST_CONTEXT("echobench " + command) {
      const auto help = command.empty() ? run({"--help"}).out : run({command, "--help"}).out;
      BOOST_TEST(help.starts_with("usage: echobench " + command), help);
      for (const auto& line : bench::split(help, '\n'))
        BOOST_TEST(bench::columns_of(line) <= 80, line);
      BOOST_TEST(examples_in(help).size() >= 2U);
      for (const auto& each : examples_in(help))  // also after build/release/bin/echobench
        BOOST_TEST(each.size() <= 60U, each);
      if (command.empty())
        for (const auto& each : command_names) BOOST_TEST(holds(help, "\n  " + each + " "), each);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(the_examples_name_the_program_as_it_was_started, desk) {
  setenv("ECHOBENCH_NAME", "../fibers/bench/run", 1);
  BOOST_TEST(holds(run({"duel", "--help"}).out, "\n  ../fibers/bench/run duel\n"));
  setenv("ECHOBENCH_NAME", "/a/very/long/way/to/the/checkout/bench/run", 1);
  BOOST_TEST(holds(run({"duel", "--help"}).out, "\n  echobench duel\n"));
  unsetenv("ECHOBENCH_NAME");
}

BOOST_FIXTURE_TEST_CASE(every_example_works_when_it_is_pasted, desk) {
  fs::create_directory(folder / "before");
  fs::create_directory_symlink(program.parent_path(), folder / "before/bin");
  add_run("docs/runs/default");
  folder.write("README.md", "");
  folder.write("docs/a.md", "");
  const odd_server server;
  const auto ends_well = [&](const std::string& line, int exit_code) {
    const auto ended = shell(line);
    BOOST_TEST(ended.exit_code == exit_code, line + "\n" + ended.out + ended.err);
    return ended;
  };
  for (const auto& command : command_names)
    for (auto line : examples_in(run({command, "--help"}).out)) {
      const auto put = [&](const std::string& old, const std::string& other) {
        if (const auto at = line.find(old); at != std::string::npos)
          line.replace(at, old.size(), other);
      };
      put("../before", "before");
      put("25000", std::to_string(server.port()));
      put("10.0.0.1", "localhost");
      if (command != "run") put("a:2,b", "localhost");  // others than this host need MPI
      if (command == "run") {
        ends_well(line + " --list", 0);
      } else if (command == "duel" || command == "selftest") {
        BOOST_TEST(holds(ends_well(line + " --pin 0,0", 2).err, "--pin '0,0'"), line);
      } else if (command == "load") {
        const bool limited = holds(line, "'p99<2ms'");  // which a busy machine may not keep
        const auto ended = shell(line + (limited ? " --duration 1s" : " --duration 50ms"));
        BOOST_TEST((ended.exit_code == 0 || (limited && ended.exit_code == 1)),
                   line + "\n" + ended.out + ended.err);
      } else if (command == "doctor") {
        BOOST_TEST(lines_in(shell(line).out) > 20, line);
      } else if (holds(line, "--gate")) {
        ends_well(line, 4);  // two earlier runs tell too little for it
      } else if (!holds(line, "| man") || shows_manuals()) {
        ends_well(line, 0);
      }
    }
}

BOOST_FIXTURE_TEST_CASE(bash_completes_commands_options_and_their_values, desk) {
  BOOST_TEST(offered_by_bash({"echobench", "du"}) == words{"duel"},
             boost::test_tools::per_element());
  BOOST_TEST(has(offered_by_bash({"echobench", ""}), "--version"));
  BOOST_TEST(offered_by_bash({"echobench", "run", "--su"}) == words{"--suite"},
             boost::test_tools::per_element());
  for (const auto& each : command_names)
    BOOST_TEST(has(offered_by_bash({"echobench", each, "--h"}), "--help"), each);
  BOOST_TEST(offered_by_bash({"echobench", "run", "--suite", "qu"}) == words{"quick"},
             boost::test_tools::per_element());
  BOOST_TEST(offered_by_bash({"echobench", "run", "--suite", "=", "qu"}) == words{"quick"},
             boost::test_tools::per_element());
  BOOST_TEST(has(offered_by_bash({"echobench", "run", "--suite", "="}), "quick"));
  BOOST_TEST(offered_by_bash({"echobench", "run", "--servers", "floor/epoll,fibers/e"}) ==
                 words{"floor/epoll,fibers/epoll"},
             boost::test_tools::per_element());
  BOOST_TEST(has(offered_by_bash({"echobench", "run", "--scenarios", "c64/"}), "c64/512"));
  BOOST_TEST(offered_by_bash({"echobench", "run", "--seed", ""}).empty());
  BOOST_TEST(offered_by_bash({"echobench", "duel", "floor/e"}) == words{"floor/epoll"},
             boost::test_tools::per_element());
  BOOST_TEST(offered_by_bash({"echobench", "selftest", "om"}) == words{"omission"},
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(bash_completes_runs_files_and_folders_with_blanks, desk) {
  fs::create_directory(folder / "my runs");
  folder.write("my file", "");
  BOOST_TEST(offered_by_bash({"echobench", "run", "--output", "my"}) == words{"my runs"},
             boost::test_tools::per_element());
  BOOST_TEST(offered_by_bash({"echobench", "report", "x", "--splice", "my f"}) == words{"my file"},
             boost::test_tools::per_element());
  const auto runs = offered_by_bash({"echobench", "compare", ""});
  BOOST_TEST(has(runs, "last~1"));
  BOOST_TEST(has(runs, "my runs"));
}

BOOST_FIXTURE_TEST_CASE(bash_completes_options_of_run_after_bench_run_itself, desk) {
  BOOST_TEST(offered_by_bash({"bench/run", "--su"}) == words{"--suite"},
             boost::test_tools::per_element());
  BOOST_TEST(offered_by_bash({"bench/run", "--rounds", "3", "--suite", "qu"}) == words{"quick"},
             boost::test_tools::per_element());
  BOOST_TEST(offered_by_bash({"bench/run", "du"}) == words{"duel"},
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(the_script_for_zsh_is_one_that_zsh_reads, desk) {
  const auto script = run({"completion", "zsh"}).out;
  for (const auto* part : {"'--suite=[what to measure", "(quick default ", "'duel:two servers"})
    BOOST_TEST(holds(script, part), part);
  if (!is_installed("zsh")) return;
  folder.write("script", script);
  const auto ended = shell("zsh -n script");
  BOOST_TEST(ended.exit_code == 0);
  BOOST_TEST(ended.err.empty(), ended.err);
}

BOOST_FIXTURE_TEST_CASE(the_manual_page_has_every_option_and_no_flaw, desk) {
  const auto page = run({"man"}).out;
  folder.write("echobench.1", page);
  for (const auto& command : command_names)
    for (const auto& line : bench::split(run({command, "--help"}).out, '\n')) {
      if (!line.starts_with("  --") || holds(line, "--help")) continue;
      std::string name = "\\fB";
      for (const char each : line.substr(2, line.find(' ', 2) - 2))
        name += each == '-' ? "\\-" : std::string{each};
      BOOST_TEST(holds(page, name + "\\fR"), command + ": " + line);
    }
  if (shows_manuals()) {
    const auto ended = shell("MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings -l echobench.1");
    BOOST_TEST(ended.exit_code == 0);
    BOOST_TEST(ended.err.empty(), ended.err);
    BOOST_TEST(holds(ended.out, "--against BUILD"));
    for (const auto& line : bench::split(ended.out, '\n'))
      BOOST_TEST(bench::columns_of(line) <= 80, line);
  }
  if (is_installed("mandoc")) {
    const auto ended = shell("mandoc -T lint echobench.1");
    BOOST_TEST(ended.exit_code == 0, ended.out);
  }
}

BOOST_FIXTURE_TEST_CASE(last_is_the_newest_run_and_others_are_counted_back, desk) {
  const auto reports = [&](const std::string& name, const std::string& run_folder) {
    const auto ended = run({"report", name});
    BOOST_TEST(ended.exit_code == 0, ended.err);
    BOOST_TEST(fs::remove(folder / "runs" / run_folder / "report.html"), name);
  };
  reports("last", "20260103T000000Z");
  reports("last~0", "20260103T000000Z");
  reports("last~2", "20260101T000000Z");
  const auto compared = run({"compare", "last~1", "last"});
  BOOST_TEST(compared.exit_code == 0, compared.err);
  BOOST_TEST(holds(compared.out, "before: runs/20260102T000000Z"), compared.out);
  const auto fewer = run({"report", "last~3"});
  BOOST_TEST(fewer.exit_code == 2);
  BOOST_TEST(fewer.err == "echobench: last~3: runs/ of the current folder holds 3 runs\n");
  const auto none = run({"report", "last~x"});
  BOOST_TEST(none.exit_code == 2);
  BOOST_TEST(holds(none.err, "last~x"), none.err);
}

// Whatever its folder is called.
BOOST_FIXTURE_TEST_CASE(the_run_that_started_last_is_the_last, desk) {
  add_run("runs/a_name_of_my_own");
  const auto ended = run({"report", "last"});
  BOOST_TEST(ended.exit_code == 0, ended.err);
  BOOST_TEST(fs::exists(folder / "runs/a_name_of_my_own/report.html"));
}

BOOST_FIXTURE_TEST_CASE(a_folder_of_that_name_comes_before_the_last_run, desk) {
  add_run("last");
  BOOST_TEST(run({"report", "last"}).exit_code == 0);
  BOOST_TEST(fs::exists(folder / "last/report.html"));
}

BOOST_FIXTURE_TEST_CASE(a_label_names_the_newest_run_that_has_it, desk) {
  add_run("runs/20260201T000000Z", "before");
  add_run("runs/20260202T000000Z", "before");
  add_run("runs/20260203T000000Z", "after");
  const auto compared = run({"compare", "before", "after"});
  BOOST_TEST(compared.exit_code == 0, compared.err);
  BOOST_TEST(holds(compared.out, "before: runs/20260202T000000Z"), compared.out);
  BOOST_TEST(run({"report", "after"}).exit_code == 0);
  BOOST_TEST(holds(folder.read("runs/20260203T000000Z/report.md"), "Label"));
  BOOST_TEST(run({"report", "beside"}).exit_code == 2);
}

BOOST_DATA_TEST_CASE_F(echobench, a_label_that_no_command_could_name_is_refused,
                       data::make({"last", "last~1", "a b", "a/b", "-x", ".x", "\n"}), label) {
  const auto ended = run({"run", "--list", "--label", label});
  BOOST_TEST(ended.exit_code == 2);
  BOOST_TEST(lines_in(ended.err) == 1);
  BOOST_TEST(holds(ended.err, "--label '"), ended.err);
}

BOOST_FIXTURE_TEST_CASE(the_page_is_opened_by_xdg_open_and_no_shell_sees_its_name, desk) {
  fs::create_directory(folder / "bin");
  const auto fake = folder.write("bin/xdg-open",
                                 "#!/bin/sh\nprintf '%s' \"$1\" > seen.new\n"
                                 "mv seen.new seen\n");
  fs::permissions(fake, fs::perms::owner_all);
  setenv("PATH", ((folder / "bin").string() + ":" + path).c_str(), 1);
  setenv("DISPLAY", ":0", 1);
  add_run("$(touch oh)");
  const auto ended = run({"report", "$(touch oh)", "--open"});
  unsetenv("DISPLAY");
  BOOST_TEST(ended.exit_code == 0, ended.err);
  BOOST_TEST(ended.err == "opened: $(touch oh)/report.html\n");
  for (int i = 0; i < 3000 && !fs::exists(folder / "seen"); ++i) std::this_thread::sleep_for(10ms);
  BOOST_TEST(folder.read("seen") == (folder / "$(touch oh)/report.html").string());
  BOOST_TEST(!fs::exists(folder / "oh"));
}

BOOST_FIXTURE_TEST_CASE(where_no_page_can_be_opened_one_line_says_where_it_is, desk) {
  unsetenv("DISPLAY");
  unsetenv("WAYLAND_DISPLAY");
  const auto where = "runs/20260103T000000Z/report.html\n";
  const auto blind = run({"report", "last", "--open"});
  BOOST_TEST(blind.exit_code == 0);
  BOOST_TEST(blind.err == std::string{"not opened, because there is no display: "} + where);
  fs::create_directory(folder / "bin");
  setenv("PATH", (folder / "bin").c_str(), 1);
  setenv("DISPLAY", ":0", 1);
  const auto without = run({"report", "last", "--open"});
  BOOST_TEST(without.exit_code == 0);
  BOOST_TEST(without.err == std::string{"not opened, because there is no xdg-open: "} + where);
  const auto broken = folder.write("bin/xdg-open", "#!/no/such/program\n");
  fs::permissions(broken, fs::perms::owner_all);
  const auto failed = run({"report", "last", "--open"});
  unsetenv("DISPLAY");
  BOOST_TEST(failed.exit_code == 0);
  BOOST_TEST(holds(failed.err, "not opened, because xdg-open does not start: "), failed.err);
  const auto splicing = run({"report", "last", "--open", "--splice", "x.md"});
  BOOST_TEST(splicing.exit_code == 2);
  BOOST_TEST(lines_in(splicing.err) == 1);
}
