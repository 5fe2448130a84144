// full_screen: takes over the whole terminal and restores it when destroyed.
//
//     if (const auto screen = full_screen::take(colour)) {
//       screen->show({{{"hello", tone::strong}}});
//       if (screen->pressed() == 'q') ...
//     }
//
// Only full_screen.cpp includes ncurses. The content is lines of text, so the code that makes them
// needs no terminal and can be tested without one.
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
  left,  // cyan and yellow: the two sides, distinct also for the colour-blind
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
  // Null unless standard input and output are a terminal that can be drawn on. Without `colour` the
  // tones differ in brightness only.
  static std::unique_ptr<full_screen> take(bool colour);
  ~full_screen();
  full_screen(const full_screen&) = delete;
  full_screen& operator=(const full_screen&) = delete;

  // The current size of the window.
  screen_size size();

  // Replaces the content of the screen.
  void show(const std::vector<screen_line>& lines);

  // The next key that was pressed, as a character code; an arrow key is one of ← ↑ → ↓. nullopt:
  // none.
  std::optional<int> pressed();

 private:
  explicit full_screen(bool colour);

  bool colour_;
};

}  // namespace bench
