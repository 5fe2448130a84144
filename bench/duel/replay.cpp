#include <fmt/format.h>

#include <algorithm>
#include <bench/duel/keys.hpp>
#include <bench/duel/recording.hpp>
#include <bench/duel/view.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/terminal.hpp>
#include <chrono>
#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

class replayer {
 public:
  replayer(full_screen* screen, const std::atomic<bool>& stop, duel& shown)
      : screen_{screen}, stop_{stop}, shown_{shown}, view_{screen} {}

  void play(const std::vector<duel_event>& events, double speed) {
    const auto start = clock::now();
    for (const auto& each : events) {
      wait_until(start + std::chrono::duration_cast<clock::duration>(
                             std::chrono::duration<double>{each.at_s / speed}));
      if (quits_) return;
      happen(each);
    }
    if (screen_ == nullptr) return;
    shown_.note = "the recording ends here; q leaves";
    view_.draw(shown_);
    while (!quits_) wait_until(clock::now() + 50ms);
  }

 private:
  void happen(const duel_event& event) {
    shown_.happen(event);
    if (event.key) view_.takes(event.key->front(), shown_);
    view_.draw(shown_);
    if (screen_ != nullptr || !event.round_ends) return;
    fmt::print("{}", duel_line(shown_));
    flush(stdout);
  }

  // Obeys the keys meanwhile: of those of a duel, the ones that change the view, and `q`.
  void wait_until(clock::time_point then) {
    do {
      if (stop_) throw interrupted{};
      while (const auto key = screen_ ? screen_->pressed() : std::nullopt) {
        quits_ = quits_ || action_of(*key) == duel_action::quit;
        if (!view_.takes(*key, shown_))
          shown_.note = "in a replay only space, ? and q do something";
        view_.draw(shown_);
      }
      if (quits_) return;
      std::this_thread::sleep_until(std::min(then, clock::now() + 50ms));
    } while (clock::now() < then);
  }

  full_screen* screen_;
  const std::atomic<bool>& stop_;
  duel& shown_;
  duel_view view_;
  bool quits_ = false;
};

}  // namespace

void replay(const duel_recording& recording, full_screen* screen, double speed,
            const std::atomic<bool>& stop, duel& shown) {
  replayer{screen, stop, shown}.play(recording.events, speed);
}

}  // namespace bench
