// echobench completion: prints what a shell needs to complete commands, options and their values.
// All of it comes from the manuals of the commands, so it knows what this build knows.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bench/command/commands.hpp>
#include <bench/command/shell/offers.hpp>
#include <bench/text/failure.hpp>

namespace bench {
namespace {

// Bash splits --suite=quick into three words, and calls the function with $word at the cursor.
constexpr std::string_view bash_begin =
    R"(# Completion of echobench in bash: source <(echobench completion bash)
_echobench_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word"); }
_echobench_list() {
  local before=
  [[ $word != *,* ]] || before=${word%,*},
  mapfile -t COMPREPLY < <(compgen -P "$before" -W "$1" -- "${word##*,}")
}
_echobench_paths() { # KIND WORDS
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -W "$2" -- "$word"; compgen "$1" -- "$word")
}
_echobench() {
  local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if [[ $word == = ]]; then
    word=
  elif [[ $option == = ]]; then
    option=${COMP_WORDS[COMP_CWORD-2]}
  fi
  if [[ $command == -* && $1 == */run ]]; then
    command=run
  elif ((COMP_CWORD == 1)); then
    command=
  fi
)";

constexpr std::string_view bash_end = R"(}
complete -F _echobench echobench bench/run ./bench/run
)";

std::string bash_call(const offers& offered) {
  const auto words = fmt::format("{}", fmt::join(offered.words, " "));
  switch (offered.kind) {
    case offer_kind::nothing:
      return ":";
    case offer_kind::words:
      return fmt::format("_echobench_words '{}'", words);
    case offer_kind::list:
      return fmt::format("_echobench_list '{}'", words);
    case offer_kind::files:
      return "_echobench_paths -f ''";
    case offer_kind::folders:
      return "_echobench_paths -d ''";
    case offer_kind::runs:
      return fmt::format("_echobench_paths -f '{}'", words);
  }
  return ":";
}

std::string bash_command(const command& each) {
  const auto manual = manual_of(each.run);
  std::string options;
  std::string text;
  for (const auto& row : manual.rows) {
    options += (options.empty() ? "--" : " --") + row.name;
    if (row.unit.empty()) continue;
    text +=
        fmt::format("    {}:--{}:*) {} ;;\n", each.name, row.name, bash_call(offers_for(row.unit)));
  }
  text += fmt::format("    {}:*:-*) _echobench_words '{}' ;;\n", each.name, options);
  text += fmt::format("    {}:*) {} ;;\n", each.name, bash_call(offers_for(manual.positional)));
  return text;
}

std::string bash_script() {
  std::string names;
  std::string text{bash_begin};
  text += "  case $command:$option:$word in\n";
  for (const auto& each : all_commands()) {
    names += fmt::format("{} ", each.name);
    text += bash_command(each);
  }
  text += fmt::format("    :*) _echobench_words '{}--help --version' ;;\n  esac\n", names);
  return text += bash_end;
}

// For a text between the single quotes of a zsh script, where _arguments reads it.
std::string zsh_quoted(std::string_view text) {
  std::string quoted;
  for (const char each : text) {
    if (each == '\'') quoted += "'\\'";
    if (each == '[' || each == ']' || each == ':' || each == '\\') quoted += '\\';
    quoted += each;
  }
  return quoted;
}

std::string zsh_action(const offers& offered) {
  const auto words = fmt::format("{}", fmt::join(offered.words, " "));
  switch (offered.kind) {
    case offer_kind::nothing:
      return " ";
    case offer_kind::words:
      return fmt::format("({})", words);
    case offer_kind::list:
      return fmt::format("_sequence compadd - {}", words);
    case offer_kind::files:
      return "_files";
    case offer_kind::folders:
      return "_files -/";
    case offer_kind::runs:
      return fmt::format("_alternative \"words:run:({})\" files:file:_files", words);
  }
  return " ";
}

std::string zsh_command(const command& each) {
  const auto manual = manual_of(each.run);
  auto text = fmt::format("    {})\n      _arguments \\\n", each.name);
  for (const auto& row : manual.rows) {
    const auto value = row.unit.empty() ? ""
                                        : fmt::format(":{}:{}", zsh_quoted(row.unit),
                                                      zsh_action(offers_for(row.unit)));
    text += fmt::format("        '{}--{}{}[{}]{}' \\\n", row.repeats ? "*" : "", row.name,
                        row.unit.empty() ? "" : "=", zsh_quoted(row.text), value);
  }
  if (!manual.positional.empty())
    text += fmt::format("        '*:{}:{}' \\\n", zsh_quoted(manual.positional),
                        zsh_action(offers_for(manual.positional)));
  text.resize(text.size() - 3);
  return text + "\n      ;;\n";
}

constexpr std::string_view zsh_begin = R"(#compdef echobench bench/run ./bench/run
# Completion of echobench in zsh: source <(echobench completion zsh)
_echobench() {
  local command=run
  local -a commands
  if [[ $words[2] != -* || $words[1] != */run ]]; then
    if (( CURRENT == 2 )); then
      commands=(
)";

constexpr std::string_view zsh_middle = R"(        '--help' '--version'
      )
      _describe command commands
      return
    fi
    command=$words[2]
    shift words
    (( CURRENT-- ))
  fi
  case $command in
)";

constexpr std::string_view zsh_end = R"(  esac
}
if [[ $funcstack[1] == _echobench ]]; then
  _echobench "$@"
else
  compdef _echobench echobench bench/run ./bench/run
fi
)";

std::string zsh_script() {
  std::string text{zsh_begin};
  for (const auto& each : all_commands())
    text += fmt::format("        '{}:{}'\n", each.name, zsh_quoted(each.purpose));
  text += zsh_middle;
  for (const auto& each : all_commands()) text += zsh_command(each);
  return text += zsh_end;
}

}  // namespace

int completion_command(const arguments& given) {
  options wanted{"echobench completion", "SHELL",
                 "Prints what bash or zsh needs to complete commands, options, suites, servers, "
                 "loads, runs and files, also for bench/run."};
  wanted.explain(
      "In ~/.bashrc:  source <(/path/to/echobench completion bash)\n"
      "In ~/.zshrc, after compinit:  source <(/path/to/echobench completion zsh)");
  wanted.example("completion bash");
  wanted.example("completion zsh");
  const auto rest = wanted.parse(given);
  if (rest == arguments{"bash"})
    fmt::print("{}", bash_script());
  else if (rest == arguments{"zsh"})
    fmt::print("{}", zsh_script());
  else
    throw usage_error("echobench completion: wants bash or zsh");
  return 0;
}

}  // namespace bench
