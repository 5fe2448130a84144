#include <bench/measure/recorder.hpp>

#include <fmt/format.h>

#include <bench/record/run_folder.hpp>
#include <bench/text/failure.hpp>
#include <set>

namespace bench {
namespace {

// Writes each event of the run to the journal, then passes it to the next listener.
class recorder : public run_listener {
 public:
  recorder(journal& file, run_listener& next, const live_test_bed& bed, const run_record& begun)
      : file_{file}, next_{next}, bed_{bed} {
    for (const auto& each : begun.caveats_found)
      if (const auto* found = std::get_if<caveats::processes_changed>(&each))
        already_noted_.insert(found->server);
  }
  void on_memory(const memory_sample& sample) override {
    file_.append(to_json_line(sample));
    next_.on_memory(sample);
  }
  void on_caveat(const caveat& found) override { file_.append(to_json_line(found)); }
  void on_kernel(const kernel_sample& sample) override {
    file_.append(to_json_line(sample));
    next_.on_kernel(sample);
  }
  void on_block_kept(const block& kept) override { next_.on_block_kept(kept); }
  void on_block_starts(const planned_block& starting) override {
    under_way_ = starting;
    next_.on_block_starts(starting);
  }
  void on_block(const block& measured) override {
    under_way_.reset();
    file_.append(to_json_line(measured));
    for (const auto& timed : measured.slices)
      if (!timed.cpu_ns && bed_.uncounted().contains(timed.server) &&
          already_noted_.insert(timed.server).second)
        file_.append(to_json_line(caveats::processes_changed{timed.server}));
    next_.on_block(measured);
  }
  void on_round_ends(int round) override { next_.on_round_ends(round); }
  void on_budget_spent(int rounds_done) override { next_.on_budget_spent(rounds_done); }
  void on_enough(int rounds_done) override { next_.on_enough(rounds_done); }

  // The block that is being measured: "in round 3, c64/512 duet; ". Empty: none is.
  std::string under_way() const {
    if (!under_way_) return {};
    return fmt::format("in round {}, {} {}; ", under_way_->round + 1, under_way_->scenario.text(),
                       words_of(under_way_->kind));
  }

 private:
  static std::string words_of(block_kind kind) {
    switch (kind) {
      case block_kind::duet:
        return "duet";
      case block_kind::exclusive:
        return "exclusive";
      case block_kind::open_loop:
        break;
    }
    return "open loop";
  }

  journal& file_;
  run_listener& next_;
  const live_test_bed& bed_;
  std::set<std::string> already_noted_;
  std::optional<planned_block> under_way_;
};

}  // namespace

run_header header_of(const run_plan& plan, const environment& machine, std::time_t started,
                     std::string command_line) {
  run_header header;
  header.started_utc = utc_text(started);
  header.suite = plan.suite;
  header.command_line = std::move(command_line);
  header.seed = plan.seed;
  header.rounds = plan.rounds;
  if (plan.until_sure) header.watched = true;
  header.scenarios = plan.scenarios();
  header.servers = plan.servers_as_started();
  header.comparisons = plan.comparisons();
  header.machine = machine;
  return header;
}

journal begin_journal(const std::filesystem::path& folder, const run_header& header,
                      const std::vector<caveat>& caveats_found) {
  std::vector<std::string> lines{to_json_line(header)};
  for (const auto& each : caveats_found) lines.push_back(to_json_line(each));
  return journal::begin(folder / "run.ndjson", lines);
}

journal resume_journal(const std::filesystem::path& folder, const std::string& now_utc) {
  auto file = journal::go_on(folder / "run.ndjson");
  file.append(to_json_line(caveats::run_resumed{now_utc}));
  return file;
}

run_end record_run(const run_plan& plan, live_test_bed& bed, journal& file, run_listener& listener,
                   const run_record& begun, const sufficiency& is_enough) {
  recorder writes{file, listener, bed, begun};
  const auto how_to_go_on = [&] {
    return fmt::format("what was measured is kept; --resume {} goes on",
                       file.path().parent_path().string());
  };
  try {
    const auto end = run_rounds(plan, bed, writes, begun, is_enough);
    file.append(to_json_line(end));
    file.close();
    return end;
  } catch (const wrong_reply& wrong) {
    file.append(to_json_line(caveats::run_void{wrong.what()}));
    throw;
  } catch (const host_failed& failure) {
    throw host_failed(fmt::format("{} ({}{})", failure.what(), writes.under_way(), how_to_go_on()));
  } catch (const std::runtime_error& failure) {
    throw run_invalid(fmt::format("{} ({})", failure.what(), how_to_go_on()));
  }
}

}  // namespace bench
