#define NCURSES_NOMACROS
#include <bench/duel/full_screen.hpp>

#include <ncurses.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <bench/text/terminal.hpp>
#include <cstdio>

namespace bench {
namespace {

constexpr short left_pair = 1;
constexpr short right_pair = 2;

attr_t look_of(tone shown, bool colour) {
  switch (shown) {
    case tone::plain:
      return A_NORMAL;
    case tone::strong:
      return A_BOLD;
    case tone::faint:
      return A_DIM;
    case tone::left:
      return colour ? A_BOLD | static_cast<attr_t>(COLOR_PAIR(left_pair)) : A_BOLD;
    case tone::right:
      return colour ? A_BOLD | static_cast<attr_t>(COLOR_PAIR(right_pair)) : A_BOLD;
  }
  return A_NORMAL;
}

}  // namespace

std::unique_ptr<full_screen> full_screen::take(bool colour) {
  if (isatty(STDIN_FILENO) == 0 || !is_terminal(stdout)) return nullptr;
  if (newterm(nullptr, stdout, stdin) == nullptr) return nullptr;
  return std::unique_ptr<full_screen>{new full_screen{colour}};
}

// In cbreak mode Ctrl-C still raises SIGINT. SIGWINCH gets its default action, since a handler
// would interrupt system calls; size() notices a changed window instead.
full_screen::full_screen(bool colour) : colour_{colour && has_colors()} {
  ::signal(SIGWINCH, SIG_DFL);
  cbreak();
  noecho();
  nonl();
  curs_set(0);
  keypad(stdscr, true);  // ncurses turns the escape sequence of an arrow key into one key
  set_escdelay(25);
  nodelay(stdscr, true);
  if (!colour_) return;
  start_color();
  use_default_colors();
  init_pair(left_pair, COLOR_CYAN, -1);
  init_pair(right_pair, COLOR_YELLOW, -1);
}

full_screen::~full_screen() {
  endwin();
  delscreen(set_term(nullptr));
}

screen_size full_screen::size() {
  winsize now{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &now) == 0 && now.ws_col > 0 && now.ws_row > 0 &&
      (now.ws_col != getmaxx(stdscr) || now.ws_row != getmaxy(stdscr))) {
    resizeterm(now.ws_row, now.ws_col);
  }
  return {getmaxx(stdscr), getmaxy(stdscr)};
}

void full_screen::show(const std::vector<screen_line>& lines) {
  werase(stdscr);
  for (int row = 0; const auto& line : lines) {
    wmove(stdscr, row++, 0);
    for (const auto& each : line) {
      wattrset(stdscr, static_cast<int>(look_of(each.tone, colour_)));
      waddstr(stdscr, each.text.c_str());
    }
  }
  wrefresh(stdscr);
}

std::optional<int> full_screen::pressed() {
  switch (const int key = wgetch(stdscr)) {
    case ERR:
      return std::nullopt;
    case KEY_LEFT:
      return U'←';
    case KEY_UP:
      return U'↑';
    case KEY_RIGHT:
      return U'→';
    case KEY_DOWN:
      return U'↓';
    default:
      return key;
  }
}

}  // namespace bench
