// diagnosis: which host holds up a load, where nothing else tells.
//
//     diagnose(shell, {{"a", {4711}}, {"b", {812, 813}}});   // "b: its generator 812 is stopped"
//
// A process that is stopped, and a line that is cut, are silent. So this asks each host by the
// launcher: it may still come through, and is the way by which the processes were started.
#pragma once

#include <sys/types.h>

#include <bench/hosts/launcher.hpp>
#include <map>
#include <string>
#include <vector>

namespace bench {

using pids_by_host = std::map<std::string, std::vector<pid_t>>;

// The command that a host is asked with.
std::vector<std::string> question_about(const std::vector<pid_t>& generators);

// What the output of that command says. Empty: nothing is wrong there.
std::string finding_in(const std::string& host, const std::vector<std::string>& output);

// Asks all hosts at once, for at most 1.5 s. Empty: nothing is wrong anywhere.
std::string diagnose(const launcher& shell, const pids_by_host& hosts);

}  // namespace bench
