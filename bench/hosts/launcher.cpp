#include <bench/hosts/launcher.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>
#include <filesystem>

namespace bench {
namespace {

constexpr std::string_view host_sign = "{host}";

std::string with_host(std::string word, std::string_view host) {
  for (auto at = word.find(host_sign); at != std::string::npos; at = word.find(host_sign, at))
    word.replace(at, host_sign.size(), host), at += host.size();
  return word;
}

bool is_executable(const std::string& program) {
  return program.find('/') == std::string::npos ? !find_in_path(program).empty()
                                                : std::filesystem::is_regular_file(program);
}

}  // namespace

launcher::launcher(const std::string& command) : command_{command}, words_{split_words(command)} {
  if (words_.empty()) throw usage_error("--launcher '' is no command, such as ssh");
  if (!is_executable(words_.front()))
    throw usage_error(
        fmt::format("--launcher '{}': there is no program {} here", command, words_.front()));
}

std::vector<std::string> launcher::prefix(const std::string& host) const {
  std::vector<std::string> all;
  for (const auto& each : words_) all.push_back(with_host(each, host));
  const bool named = std::any_of(words_.begin(), words_.end(), [](const std::string& each) {
    return each.find(host_sign) != std::string::npos;
  });
  if (!named) all.push_back(host);
  return all;
}

bool launcher::keeps_the_name() const {
  return std::filesystem::path{words_.front()}.filename() == "ip";
}

bool launcher::has_shell() const {
  const auto name = std::filesystem::path{words_.front()}.filename();
  return name == "ssh" || name == "rsh";
}

std::vector<std::string> launcher::words(const std::string& host,
                                         const std::vector<std::string>& program) const {
  if (is_this_host(host)) return program;
  auto all = prefix(host);
  if (!has_shell()) all.insert(all.end(), {"sh", "-c"});
  all.push_back(join_words(program));
  return all;
}

std::string launcher::agent_script() const {
  std::string command;
  for (const auto& each : prefix("\x01")) {
    // What the user wrote is quoted; the name of the host is known only when the script runs.
    for (std::string_view rest = each;;) {
      const auto at = rest.find('\x01');
      if (at != 0) command += join_words({std::string{rest.substr(0, at)}});
      if (at == std::string_view::npos) break;
      command += "\"$host\"";
      rest.remove_prefix(at + 1);
      if (rest.empty()) break;
    }
    command += ' ';
  }
  std::string before = "d=$(mktemp -d) && TMPDIR=$d && export TMPDIR || exit; ";
  if (keeps_the_name()) {
    command += "unshare --uts ";
    before = "hostname \"$0\" && " + before;
  }
  if (!has_shell()) command += "sh -c ";
  return fmt::format(
      "#!/bin/sh\n"
      "host=$1\nshift\n"
      "{}'{}('\"$*\"'); c=$?; rm -rf \"$d\"; exit $c'{} || {{\n"
      "  code=$?\n  echo \"$host: exit code $code of the launcher\" >&2\n  exit $code\n}}\n",
      command, before, keeps_the_name() ? " \"$host\"" : "");
}

bool is_this_host(const std::string& host) {
  char own[256] = {};
  gethostname(own, sizeof own - 1);
  return host == "localhost" || host == "127.0.0.1" || host == own;
}

}  // namespace bench
