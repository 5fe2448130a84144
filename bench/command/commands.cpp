// The table of contents: what echobench can be asked for.
#include <bench/command/commands.hpp>

#include <array>

namespace bench {
namespace {

constexpr std::array commands{
    command{"run", "measure servers against each other and write a report", run_command},
    command{"compare", "what changed from earlier runs to the last one", compare_command},
    command{"duel", "two servers live in the terminal, side by side", duel_command},
    command{"report", "the reports of a run, written anew", report_command},
    command{"doctor", "what of this machine would spoil a run, and what changes it",
            doctor_command},
    command{"load", "put any echo server under load and check its replies", load_command},
    command{"selftest", "prove that the instrument can be believed here", selftest_command},
    command{"completion", "what bash or zsh needs to complete these commands", completion_command},
    command{"man", "all of this as a manual page", man_command},
};

}  // namespace

std::span<const command> all_commands() {
  return commands;
}

}  // namespace bench
