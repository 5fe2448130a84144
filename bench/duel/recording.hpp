// recording: a duel as a file, from which the same screens are shown again at the same pace.
//
//     duel_recorder recorder{"duel.ndjson", match};
//     recorder.append({.at_s = 0.3, .slices = ...});         // a line per event
//
//     replay(read_recording("duel.ndjson"), screen.get(), 4, stop);   // four times as fast
//
// The first line says who met, under which load, and for how long. Each further line is one
// duel_event, with the names of its members; those that are absent are left out:
//
//     {"duel":1,"servers":{"base":...,"contender":...,"floor":...},"load":"c64/512","length_s":600}
//     {"at_s":0.301,"slices":[{"timed":{...},"pss_kib":1310},...]}
//     {"at_s":0.344,"key":"?"}
#pragma once

#include <atomic>
#include <bench/duel/duel.hpp>
#include <bench/duel/full_screen.hpp>
#include <bench/record/journal.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace bench {

class duel_recorder {
 public:
  // Creates the file, as a journal does: throws run_invalid if it exists or cannot be written.
  duel_recorder(const std::filesystem::path& file, const duel& match);

  void append(const duel_event& event);

 private:
  journal file_;
};

struct duel_recording {
  comparison servers;
  scenario load;
  double length_s = 0;
  std::vector<duel_event> events;
};

// The whole file, as a recorder writes it.
std::string recording_text(const duel_recording& recording);

// Throws unreadable_run, which names the file, the line and what is wrong with it, for any line
// that a recorder would not write. An incomplete last line is left out: its recorder was killed.
duel_recording read_recording(const std::filesystem::path& file);

// Shows the recording, `speed` times as fast, until it ends or the user quits; on a screen, the end
// waits for the user. With `screen` null, each round prints a line. Throws `interrupted` once
// `stop` is true. `shown` is the duel at the end.
void replay(const duel_recording& recording, full_screen* screen, double speed,
            const std::atomic<bool>& stop, duel& shown);

}  // namespace bench
