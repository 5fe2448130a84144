// The words by which a program starts on another host reach it as they are, whatever they hold.
#include <bench/hosts/launcher.hpp>

#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>

#include <tests/child_process.hpp>
#include <tests/scratch_folder.hpp>
#include <tests/texts.hpp>

using bench::launcher;

namespace {

using command_words = std::vector<std::string>;

// A program of that name that does nothing.
struct named_program {
  explicit named_program(const std::string& name) : path{folder.write(name, "")} {}

  scratch_folder folder;
  std::string path;
};

// Open MPI calls the script with a host and with words that are one shell command.
ended_process run_agent(const launcher& shell, const std::string& host, const std::string& line) {
  const scratch_folder folder;
  return run_program({"/bin/sh", folder.write("agent", shell.agent_script()), host, line});
}

// Starts a program on this machine and tells it which host it stands for.
constexpr const char* on_this_machine = "env HOST={host}";

}  // namespace

BOOST_AUTO_TEST_SUITE(launching)

BOOST_AUTO_TEST_CASE(ssh_gets_the_host_and_one_shell_command) {
  const named_program ssh{"ssh"};
  const launcher shell{ssh.path + " -F none"};
  const auto got = shell.words("far", {"echo", "two words", "it's"});
  const command_words wanted{ssh.path, "-F", "none", "far", "echo 'two words' 'it'\\''s'"};
  BOOST_TEST(got == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_no_remote_shell_is_given_one) {
  const named_program ip{"ip"};
  const launcher shell{ip.path + " netns exec"};
  const auto got = shell.words("far", {"echo", "two words"});
  const command_words wanted{ip.path, "netns", "exec", "far", "sh", "-c", "echo 'two words'"};
  BOOST_TEST(got == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_sign_for_a_host_is_replaced_wherever_it_stands) {
  const launcher shell{"env A={host} B=<{host}|{host}>"};
  const command_words wanted{"env", "A=far", "B=<far|far>", "sh", "-c", "true"};
  BOOST_TEST(shell.words("far", {"true"}) == wanted, boost::test_tools::per_element());
  BOOST_TEST(run_agent(shell, "far", "echo $A $B").output == "far <far|far>\n");
}

BOOST_AUTO_TEST_CASE(nothing_is_launched_for_this_host) {
  const command_words wanted{"echo", "two words"};
  BOOST_TEST(launcher{"env"}.words("localhost", wanted) == wanted,
             boost::test_tools::per_element());
  BOOST_TEST(bench::is_this_host("localhost"));
  BOOST_TEST(!bench::is_this_host("localhost.example"));
}

BOOST_AUTO_TEST_CASE(blanks_quotes_and_dollars_arrive_as_they_are) {
  const command_words odd{"two words", "it's", "\"quoted\"", "$HOME `true`", "", "a\nb", "\\"};
  command_words program{"printf", "<%s>"};
  program.insert(program.end(), odd.begin(), odd.end());
  auto command = launcher{on_this_machine}.words("far", program);
  command.front() = bench::find_in_path(command.front());
  const auto ended = run_program(command);
  BOOST_TEST(ended.exit_code == 0, ended.errors);
  std::string wanted;
  for (const auto& each : odd) wanted += "<" + each + ">";
  BOOST_TEST(ended.output == wanted);
}

BOOST_AUTO_TEST_CASE(the_script_for_mpirun_runs_its_words_as_one_command) {
  const auto ended =
      run_agent(launcher{on_this_machine}, "far", "X='two  words'; echo \"$X on $HOST\"");
  BOOST_TEST(ended.exit_code == 0, ended.errors);
  BOOST_TEST(ended.output == "two  words on far\n");
  BOOST_TEST(ended.errors.empty(), ended.errors);
}

BOOST_AUTO_TEST_CASE(the_script_appends_a_host_for_which_there_is_no_sign) {
  const auto said = run_agent(launcher{"echo 'to the host'"}, "far", "a b").output;
  BOOST_TEST(said.starts_with("to the host far sh -c "), said);
  BOOST_TEST(said.find("(a b)") != said.npos, said);
}

BOOST_AUTO_TEST_CASE(the_script_leaves_the_quotes_of_a_launcher_to_no_shell) {
  BOOST_TEST(run_agent(launcher{"env 'A=$(false) {host}'"}, "far", "echo \"$A\"").output ==
             "$(false) far\n");
}

BOOST_AUTO_TEST_CASE(the_script_hands_one_command_to_ssh) {
  const scratch_folder folder;
  const auto ssh = folder.write("ssh", "#!/bin/sh\necho \"$# words\"\nsh -c \"$2\"\n");
  std::filesystem::permissions(ssh, std::filesystem::perms::owner_all);
  BOOST_TEST(run_agent(launcher{ssh}, "far", "echo a; echo b").output == "2 words\na\nb\n");
}

BOOST_AUTO_TEST_CASE(a_command_has_a_folder_of_its_own_which_is_removed) {
  const auto said =
      run_agent(launcher{on_this_machine}, "far", "echo $TMPDIR; ls -a $TMPDIR; exit 0");
  BOOST_TEST(said.exit_code == 0, said.errors);
  const auto folder = said.output.substr(0, said.output.find('\n'));
  BOOST_TEST(said.output == folder + "\n.\n..\n");
  BOOST_TEST(!std::filesystem::exists(folder), folder);
}

BOOST_AUTO_TEST_CASE(the_script_says_on_which_host_a_command_failed) {
  const auto ended = run_agent(launcher{on_this_machine}, "far", "exit 7");
  BOOST_TEST(ended.exit_code == 7);
  BOOST_TEST(ended.errors == "far: exit code 7 of the launcher\n");
}

BOOST_AUTO_TEST_CASE(a_launcher_that_is_no_program_is_refused) {
  BOOST_CHECK_EXCEPTION(launcher{""}, bench::usage_error, saying("--launcher '' is no command"));
  BOOST_CHECK_EXCEPTION(launcher{"no-such-program -x"}, bench::usage_error,
                        saying("--launcher 'no-such-program -x': there is no program "
                               "no-such-program here"));
  BOOST_CHECK_EXCEPTION(launcher{"/no/such/program"}, bench::usage_error,
                        saying("there is no program /no/such/program here"));
}

BOOST_AUTO_TEST_SUITE_END()
