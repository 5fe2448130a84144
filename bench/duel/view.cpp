#include <bench/duel/keys.hpp>
#include <bench/duel/screen.hpp>
#include <bench/duel/view.hpp>
#include <bench/text/terminal.hpp>
#include <cstdio>

namespace bench {

void duel_view::draw(const duel& match) {
  if (screen_ == nullptr) return;
  screen_->show(lines(match, screen_->size(), style_of(stdout).unicode));
}

bool duel_view::takes(int key, duel& match) {
  const auto action = action_of(key);
  if (shows_help_ && action != duel_action::quit) {
    shows_help_ = false;
    return true;
  }
  if (action == duel_action::help) return shows_help_ = true;
  if (action != duel_action::freeze) return false;
  if (frozen_) {
    frozen_.reset();
    match.note.clear();
  } else {
    match.note = "frozen: measuring goes on, space shows it again";
    frozen_ = match;
    frozen_->is_frozen = true;
  }
  return true;
}

std::vector<screen_line> duel_view::lines(const duel& match, screen_size size, bool unicode) {
  if (shows_help_) return duel_help_screen(size);
  if (!frozen_) return duel_screen(match, size, unicode);
  frozen_->note = match.note;
  return duel_screen(*frozen_, size, unicode);
}

}  // namespace bench
