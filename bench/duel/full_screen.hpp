// full screen: the whole terminal while it lives, and the terminal as it was afterwards.
//
//     if (const auto screen = full_screen::take(colour)) {
//       screen->show({{{"hello", tone::strong}}});
//       if (screen->pressed() == 'q') ...
//     }
//
// The only file that names ncurses. What is shown is lines of text, so who draws them needs no
// terminal.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bench {

enum class tone {
  plain,
  strong,
  faint,
  left,  // the colours of two sides, cyan and yellow: told apart by every eye
  right,
};

struct piece {
  std::string text;
  bench::tone tone = bench::tone::plain;
};
using screen_line = std::vector<piece>;

struct screen_size {
  int width = 80;
  int height = 24;
};

class full_screen {
 public:
  // Nothing where standard input and output are not a terminal that can be drawn on. `colour`:
  // else the tones differ by weight alone.
  static std::unique_ptr<full_screen> take(bool colour);
  ~full_screen();
  full_screen(const full_screen&) = delete;
  full_screen& operator=(const full_screen&) = delete;

  // As it is now: the window may have changed since it was last asked.
  screen_size size();

  // Instead of all that was there before.
  void show(const std::vector<screen_line>& lines);

  // The next key, if one was pressed: a letter as itself.
  std::optional<int> pressed();

 private:
  explicit full_screen(bool colour);

  bool colour_;
};

}  // namespace bench
