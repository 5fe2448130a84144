#include <bench/command/shell/open_page.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <unistd.h>

#include <bench/contract/printable.hpp>
#include <bench/text/command_words.hpp>
#include <cstdlib>
#include <cstring>

namespace bench {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

// In a session of its own, so that neither Ctrl-C nor a closed terminal ends the browser, and
// without our descriptors, so that a reader of our output is not kept waiting. Returns errno.
int start(const std::string& program, const std::string& argument) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  for (const int each : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&files, each, "/dev/null", O_RDWR, 0);
  posix_spawnattr_t how;
  posix_spawnattr_init(&how);
  posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSID);
  char* const given[] = {const_cast<char*>(program.c_str()), const_cast<char*>(argument.c_str()),
                         nullptr};
  pid_t child = 0;
  const int error = posix_spawn(&child, program.c_str(), &files, &how, given, environ);
  posix_spawnattr_destroy(&how);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

}  // namespace

std::string open_page(const std::filesystem::path& page) {
  const auto not_opened = [&](std::string_view why) {
    return fmt::format("not opened, because {}: {}", why, printable(page.string()));
  };
  if (!is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY")) return not_opened("there is no display");
  const auto program = find_in_path("xdg-open");
  if (program.empty()) return not_opened("there is no xdg-open");
  // An absolute path cannot be taken for an option.
  if (const int error = start(program, std::filesystem::absolute(page)))
    return not_opened(fmt::format("xdg-open does not start: {}", std::strerror(error)));
  return "opened: " + printable(page.string());
}

}  // namespace bench
