// launcher: the command by which a program is started on another host.
//
//     launcher shell{"ip netns exec"};
//     shell.words("server", {"/opt/bin/echobench_keeper"});
//     // ip netns exec server sh -c /opt/bin/echobench_keeper
//
// {host} in the command stands for the name of the host, as in "kubectl exec {host} --" or
// "srun -N1 -n1 -w {host}"; without it the name is appended. ssh and rsh hand their words to a
// shell of the other host by themselves.
#pragma once

#include <string>
#include <vector>

namespace bench {

inline constexpr const char* usual_launcher = "ssh";

class launcher {
 public:
  // Throws usage_error, which names --launcher, if there is no such program here.
  explicit launcher(const std::string& command = usual_launcher);

  // A command of this host that runs `program` on `host`.
  std::vector<std::string> words(const std::string& host,
                                 const std::vector<std::string>& program) const;

  // A script for Open MPI, which calls it as SCRIPT HOST WORD...; these words are one shell
  // command. It runs with a TMPDIR of its own, since hosts may share a file system and a name, and
  // that is removed afterwards. A network namespace gets a host name of its own too: Open MPI 4.1
  // mixes up hosts of one name. Where it fails, the script says so on standard error: "HOST: exit
  // code 255 of the launcher".
  std::string agent_script() const;

  const std::string& command() const { return command_; }

 private:
  std::vector<std::string> prefix(const std::string& host) const;
  bool has_shell() const;
  bool keeps_the_name() const;  // the other host has the name of this one

  std::string command_;
  std::vector<std::string> words_;
};

// True for localhost, 127.0.0.1 and the name of this host, on which nothing has to be launched.
bool is_this_host(const std::string& host);

}  // namespace bench
