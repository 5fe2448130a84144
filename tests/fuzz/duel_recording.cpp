// A recorded duel as duel --replay reads it: it is refused, or it is read back as the same and
// shown on a screen of any size.
#include <tests/fuzz/expect.hpp>
#include <tests/fuzz/memory_file.hpp>
#include <tests/fuzz/targets.hpp>

#include <bench/duel/recording.hpp>
#include <bench/duel/screen.hpp>

#include <optional>
#include <string>

namespace {

void expect_screens(const bench::duel& shown) {
  for (const bench::screen_size size : {bench::screen_size{80, 24}, {160, 50}, {20, 5}}) {
    std::string text;
    for (const auto& line : bench::duel_screen(shown, size, true)) {
      for (const auto& each : line) text += each.text;
      text += '\n';
    }
    fuzz::expect_showable(text, "a screen of a duel");
  }
  fuzz::expect_showable(bench::duel_summary(shown, 80), "the summary of a duel");
  fuzz::expect_showable(bench::duel_line(shown), "the line of a duel");
}

}  // namespace

void fuzz::duel_recording(std::string_view input) {
  static const fuzz::memory_file file;
  file.hold(input);
  std::optional<bench::duel_recording> recording;
  const auto read = [&] { recording = bench::read_recording(file.path()); };
  if (!fuzz::accepts<bench::unreadable_run>(input, read)) return;
  bench::duel shown{recording->servers, recording->load};
  for (const auto& each : recording->events) shown.happen(each);
  expect_screens(shown);

  const auto first = bench::recording_text(*recording);
  file.hold(first);
  const auto second = bench::recording_text(bench::read_recording(file.path()));
  file.hold(second);
  fuzz::expect_settled(first, second, bench::recording_text(bench::read_recording(file.path())),
                       "a recording");
}
