#include <fmt/format.h>
#include <unistd.h>

#include <bench/contract/printable.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string_view>

namespace bench {

// Boost's split_unix() does not support one kind of quote inside the other.
std::vector<std::string> split_words(const std::string& command) {
  std::vector<std::string> words;
  char quote = 0;
  bool in_word = false;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char letter = command[i];
    if (!in_word && letter == ' ') continue;
    if (!in_word) words.emplace_back();
    in_word = quote != 0 || letter != ' ';
    if (quote != 0 && letter == quote) {
      quote = 0;
    } else if (quote == 0 && (letter == '\'' || letter == '"')) {
      quote = letter;
    } else if (letter == '\\' && quote != '\'' && i + 1 < command.size()) {
      words.back() += command[++i];
    } else if (in_word) {
      words.back() += letter;
    }
  }
  if (quote != 0) throw usage_error(fmt::format("no closing {} in: {}", quote, command));
  return words;
}

std::string join_words(const std::vector<std::string>& words) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=,./:@%^";
  std::string line;
  for (const auto& word : words) {
    if (!line.empty()) line += ' ';
    if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) {
      line += word;
      continue;
    }
    line += '\'';
    for (char letter : word) {
      if (letter == '\'')
        line += "'\\''";
      else
        line += letter;
    }
    line += '\'';
  }
  return line;
}

std::string command_line(const std::string& command, std::vector<std::string> given) {
  given.insert(given.begin(), {"echobench", command});
  return join_words(given);
}

std::string invoked_as() {
  constexpr std::size_t longest = 30;
  const char* said = std::getenv("ECHOBENCH_NAME");
  const std::string name = said != nullptr ? said : program_invocation_name;
  return name.empty() || name.size() > longest ? "echobench" : join_words({printable(name)});
}

std::string find_in_path(const std::string& word) {
  const char* path = std::getenv("PATH");
  std::istringstream folders{path != nullptr ? path : "/usr/bin:/bin"};
  for (std::string folder; std::getline(folders, folder, ':');) {
    const auto candidate = std::filesystem::path{folder} / word;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

std::string find_program(const std::string& word) {
  namespace fs = std::filesystem;
  if (word.find('/') != std::string::npos) return word;
  std::error_code none;
  const auto beside = fs::read_symlink("/proc/self/exe", none).parent_path() / word;
  if (access(beside.c_str(), X_OK) == 0) return beside;
  const auto found = find_in_path(word);
  return found.empty() ? word : found;
}

}  // namespace bench
