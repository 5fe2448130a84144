#include <algorithm>
#include <bench/measure/runner.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/failure.hpp>
#include <limits>
#include <string_view>

namespace bench {
namespace {

using namespace std::chrono_literals;

// The fewest rounds that give a 95 % interval. The budget ends a run before that only on a machine
// so slow that they would take `most_of_a_budget` times the budget.
constexpr int rounds_for_an_interval = 6;
constexpr int most_of_a_budget = 2;

// The letters of block::order: A is the base, B the contender, F the floor. slice::launch is the
// index of the letter.
constexpr std::string_view letters = "ABF";

int launch_of(char letter) {
  return static_cast<int>(letters.find(letter));
}

std::string server_of(char letter, const comparison& pair) {
  if (letter == 'F') return *pair.floor;
  return letter == 'A' ? pair.base : pair.contender;
}

// The letters in the order in which their servers start, each letter once.
std::string launch_order(const std::string& order) {
  std::string once;
  for (char letter : order) {
    if (once.find(letter) == std::string::npos) once += letter;
  }
  return once;
}

double rate_of(const slice& timed) {
  return static_cast<double>(timed.messages) / timed.seconds;
}

class block_measurement {
 public:
  block_measurement(const planned_block& planned, const block_timing& timing, test_bed& bed)
      : timing_{timing}, bed_{bed}, started_{launch_order(planned.order)} {
    measured_.kind = planned.kind;
    measured_.round = planned.round;
    measured_.control = planned.control;
    measured_.scenario = planned.scenario;
    measured_.comparison = planned.comparison;
    measured_.order = planned.order;
  }

  block run() {
    std::vector<std::string> servers;
    for (char letter : started_) servers.push_back(server_of(letter, measured_.comparison));
    bed_.launch(servers, measured_.scenario);
    warm();
    measure();
    const auto others = bed_.finish();
    measured_.foreign_cpu_share = others.foreign_cpu_share;
    measured_.steal_share = others.steal_share;
    measured_.client_foreign_share = others.client_foreign_share;
    return std::move(measured_);
  }

 private:
  void warm() {
    for (char letter : started_) {
      if (may_be_slow_at_first(server_of(letter, measured_.comparison)))
        load_until_warm(std::string(1, letter));
    }
  }

  void load_until_warm(const std::string& alone) {
    constexpr double growth = 1.05;
    double best = 0;
    int no_faster = 0;
    std::chrono::milliseconds spent{};
    while (no_faster < timing_.warm_slices && spent < timing_.longest_warming) {
      const auto rate = rate_of(load(alone, timing_.warming_slice).front());
      no_faster = rate > growth * best ? 0 : no_faster + 1;
      best = std::max(best, rate);
      spent += timing_.warming_slice;
    }
  }

  void measure() {
    switch (measured_.kind) {
      case block_kind::duet:
        return duet();
      case block_kind::exclusive:
        return exclusive();
      case block_kind::open_loop:
        return open_loop();
    }
  }

  void duet() {
    load(started_, timing_.duet_warm_up);
    for (int position = 0; position < timing_.duet_slices; ++position) {
      keep(started_, load(started_, timing_.duet_slice), position);
    }
  }

  void exclusive() {
    for (std::size_t position = 0; position < measured_.order.size(); ++position) {
      const auto alone = measured_.order.substr(position, 1);
      load(alone, timing_.exclusive_settling);
      keep(alone, load(alone, timing_.exclusive_slice), static_cast<int>(position));
    }
  }

  // Loads one server at a time: at a fixed rate a second server would only disturb the first.
  void open_loop() {
    const double rate = rate_of_block();
    for (std::size_t position = 0; position < measured_.order.size(); ++position) {
      const auto alone = measured_.order.substr(position, 1);
      const auto launch = numbers(alone);
      bed_.load_at_rate(launch, rate, timing_.exclusive_settling);
      keep(alone, bed_.load_at_rate(launch, rate, timing_.slice_alone(measured_.scenario)),
           static_cast<int>(position));
    }
  }

  // The rate per second for each server of this block. A share (`rate_percent`) refers to what the
  // slower server achieves now in a closed loop.
  double rate_of_block() {
    const auto& shape = measured_.scenario;
    if (shape.rate_percent == 0) return shape.rate_per_second;
    double slower = std::numeric_limits<double>::infinity();
    for (char letter : started_) {
      const std::string alone(1, letter);
      load(alone, timing_.exclusive_settling);
      slower = std::min(slower, rate_of(load(alone, timing_.capacity_slice).front()));
    }
    return std::max(1.0, slower * shape.rate_percent / 100);
  }

  std::vector<std::size_t> numbers(const std::string& which) const {
    std::vector<std::size_t> launches;
    for (char letter : which) launches.push_back(started_.find(letter));
    return launches;
  }

  std::vector<slice> load(const std::string& which, test_bed::duration length) {
    return bed_.load(numbers(which), length);
  }

  void keep(const std::string& which, std::vector<slice> slices, int position) {
    for (std::size_t i = 0; i < slices.size(); ++i) {
      slices[i].server = server_of(which[i], measured_.comparison);
      slices[i].launch = launch_of(which[i]);
      slices[i].position = position;
      measured_.slices.push_back(std::move(slices[i]));
    }
  }

  const block_timing& timing_;
  test_bed& bed_;
  std::string started_;
  block measured_;
};

// Stops the servers of a block, also when an exception ends the block.
class finished_at_last {
 public:
  explicit finished_at_last(test_bed& bed) : bed_{bed} {}
  ~finished_at_last() { bed_.abandon(); }
  finished_at_last(const finished_at_last&) = delete;
  finished_at_last& operator=(const finished_at_last&) = delete;

 private:
  test_bed& bed_;
};

// True if a further round, expected to end at `end`, fits into the budget after `rounds_done`
// rounds.
bool is_in_budget(const run_plan& plan, int rounds_done, test_bed::duration end) {
  const auto most = rounds_done >= rounds_for_an_interval ? 1 : most_of_a_budget;
  return !plan.budget || end <= most * *plan.budget;
}

// The block in `begun` that was measured for this plan; null: none yet.
const block* find(const run_record& begun, const planned_block& planned) {
  const auto found = std::find_if(begun.blocks.begin(), begun.blocks.end(), [&](const block& each) {
    return each.round == planned.round && each.kind == planned.kind &&
           each.control == planned.control && each.scenario == planned.scenario &&
           each.comparison == planned.comparison;
  });
  return found == begun.blocks.end() ? nullptr : &*found;
}

bool holds_memory_of(const run_record& begun, const server_info& server) {
  return std::any_of(begun.memory.begin(), begun.memory.end(),
                     [&](const memory_sample& each) { return each.server == server.name; });
}

void measure_memory(const run_plan& plan, test_bed& bed, run_listener& listener,
                    const run_record& begun) {
  for (const auto& server : plan.servers) {
    if (!is_weighed(server) || holds_memory_of(begun, server)) continue;
    std::vector<caveat> caveats_found;
    for (const auto& sample :
         bed.measure_memory(server.name, plan.memory_connections, caveats_found)) {
      listener.on_memory(sample);
    }
    for (const auto& each : caveats_found) listener.on_caveat(each);
  }
}

bool holds(const run_record& begun, const planned_count& planned) {
  return std::any_of(begun.kernel.begin(), begun.kernel.end(), [&](const kernel_sample& each) {
    return each.server == planned.server && each.scenario == planned.scenario;
  });
}

void count_calls(const run_plan& plan, test_bed& bed, run_listener& listener,
                 const run_record& begun) {
  for (const auto& each : counts_of(plan)) {
    if (holds(begun, each)) continue;
    listener.on_kernel(bed.count_calls(each.server, each.scenario, plan.timing.exclusive_settling,
                                       plan.timing.counting_slice));
  }
}

// About how long it took to measure the blocks that `begun` holds.
test_bed::duration spent_on(const run_plan& plan, const run_record& begun) {
  test_bed::duration spent{};
  for (const auto& each : begun.blocks) spent += expected_duration(plan_of(each), plan.timing);
  return spent;
}

}  // namespace

int rounds_in_budget(const run_plan& plan) {
  auto shorter = plan;
  for (shorter.rounds = 1; shorter.rounds < plan.rounds; ++shorter.rounds) {
    auto next = shorter;
    ++next.rounds;
    if (!is_in_budget(plan, shorter.rounds, expected_duration(next))) break;
  }
  return shorter.rounds;
}

block measure_block(const planned_block& planned, const block_timing& timing, test_bed& bed) {
  const finished_at_last guard{bed};
  return block_measurement{planned, timing, bed}.run();
}

run_end run_rounds(const run_plan& plan, test_bed& bed, run_listener& listener,
                   const run_record& begun, const sufficiency& is_enough) try {
  std::vector<block> so_far;
  const auto start = bed.now() - spent_on(plan, begun);
  measure_memory(plan, bed, listener, begun);
  count_calls(plan, bed, listener, begun);
  for (int round = 0; round < plan.rounds; ++round) {
    const auto round_start = bed.now();
    bool measured = false;
    for (const auto& planned : blocks_of_round(plan, round)) {
      if (const auto* kept = find(begun, planned)) {
        so_far.push_back(*kept);
        listener.on_block_kept(*kept);
        continue;
      }
      listener.on_block_starts(planned);
      so_far.push_back(measure_block(planned, plan.timing, bed));
      listener.on_block(so_far.back());
      measured = true;
    }
    listener.on_round_ends(round);
    if (plan.until_sure && round + 1 < plan.rounds && is_enough && is_enough(so_far)) {
      listener.on_enough(round + 1);
      break;
    }
    const auto now = bed.now();
    const auto next_ends = now - start + (now - round_start);
    const bool enough = round + 1 >= rounds_for_an_interval;
    const bool goes_on = round + 1 < plan.rounds && (enough || measured);
    if (goes_on && !is_in_budget(plan, round + 1, next_ends)) {
      listener.on_budget_spent(round + 1);
      break;
    }
  }
  return run_end::complete;
} catch (const interrupted&) {
  return run_end::interrupted;
}

}  // namespace bench
