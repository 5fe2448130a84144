// terminal_process: a program that runs in a pseudo-terminal of 80 columns and 24 lines.
//
//     terminal_process duel{{"./echobench", "duel"}, folder};
//     duel.shows("round 2");      // waits for this text, at most 30 s
//     duel.press("q");
//     duel.exit_code();
//
// output() holds the bytes as the program wrote them. Nothing interprets cursor movements, so
// shows() finds a text only if the program wrote it in one piece.
#pragma once

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

class terminal_process {
 public:
  terminal_process(const std::vector<std::string>& command, const std::filesystem::path& folder) {
    winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    pid_ = forkpty(&terminal_, nullptr, nullptr, &size);
    if (pid_ < 0) throw std::system_error{errno, std::generic_category(), "forkpty"};
    if (pid_ == 0) become(command, folder);
    tcgetattr(terminal_, &before_);
  }
  ~terminal_process() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(terminal_);
  }
  terminal_process(const terminal_process&) = delete;
  terminal_process& operator=(const terminal_process&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& output() const { return output_; }

  void press(const std::string& keys) {
    if (write(terminal_, keys.data(), keys.size()) < 0)
      throw std::system_error{errno, std::generic_category(), "write"};
  }

  bool shows(const std::string& text) {
    return waits_for([&] { return output_.find(text) != std::string::npos; });
  }

  // Returns false if the program ends, or 30 s pass, before the condition is true.
  bool waits_for(const std::function<bool()>& condition) {
    const auto deadline = clock::now() + std::chrono::seconds{30};
    while (!condition()) {
      if (clock::now() > deadline || !read_more()) return condition();
    }
    return true;
  }

  // Waits until the program ends. -1: a signal ended it, or it still runs after 30 s.
  int exit_code() {
    if (!waits_for([this] { return ended_; })) return -1;
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  // True if the input, output and local modes (termios(3)) are those that the program found.
  bool is_as_it_was() const {
    termios now{};
    tcgetattr(terminal_, &now);
    return now.c_lflag == before_.c_lflag && now.c_iflag == before_.c_iflag &&
           now.c_oflag == before_.c_oflag;
  }

 private:
  using clock = std::chrono::steady_clock;

  [[noreturn]] static void become(const std::vector<std::string>& command,
                                  const std::filesystem::path& folder) {
    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    std::vector<char*> arguments;
    for (const auto& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
    arguments.push_back(nullptr);
    if (chdir(folder.c_str()) == 0) execv(arguments[0], arguments.data());
    _exit(127);
  }

  // Waits at most 50 ms for output. Returns false if no process has the terminal open any more.
  bool read_more() {
    pollfd ready{terminal_, POLLIN, 0};
    if (poll(&ready, 1, 50) <= 0) return true;
    std::array<char, 4096> bytes;
    const auto count = read(terminal_, bytes.data(), bytes.size());
    if (count > 0) output_.append(bytes.data(), static_cast<std::size_t>(count));
    ended_ = count <= 0;
    return !ended_;
  }

  pid_t pid_ = -1;
  int terminal_ = -1;
  bool ended_ = false;
  termios before_{};
  std::string output_;
};
