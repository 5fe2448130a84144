#include <algorithm>
#include <random>
#include <sstream>
#include <stdexcept>

#include <tests/fibers/random_programs/program.hpp>

namespace random_programs {
namespace {

// The number of objects of a kind; `fibers` stands for the fibers of the program.
constexpr int fibers = -1;

constexpr struct {
  std::string_view name;
  int objects;
  int weight;  // how often a random program has it
} verbs[] = {
    {"sleep", 1, 8},
    {"yield", 1, 2},
    {"spawn", fibers, 8},
    {"join", fibers, 4},
    {"join_for", fibers, 3},
    {"cancel", fibers, 3},
    {"fail", 1, 1},
    {"group", fibers, 4},
    {"group_for", fibers, 2},
    {"push", channels, 5},
    {"push_for", channels, 3},
    {"try_push", channels, 2},
    {"pop", channels, 5},
    {"pop_for", channels, 3},
    {"try_pop", channels, 2},
    {"finish", channels, 1},
    {"lock", mutexes, 4},
    {"lock_for", mutexes, 3},
    {"acquire", semaphores, 4},
    {"acquire_for", semaphores, 3},
    {"add", groups, 2},
    {"done", groups, 3},
    {"wait", groups, 2},
    {"wait_for", groups, 2},
    {"await", conditions, 2},
    {"await_for", conditions, 2},
    {"notify_one", conditions, 3},
    {"notify_all", conditions, 1},
    {"generate", 1, 2},
    {"write", ends, 8},
    {"read", ends, 8},
    {"limit", ends, 4},
    {"shutdown", ends, 2},
    {"close", ends, 1},
    {"abort", ends, 1},
    {"accept", 1, 3},
    {"connect", 1, 3},
    {"post", 1, 2},
};
constexpr int most_fibers = 8, most_actions = 8, most_amount = 20;

class writer {
 public:
  explicit writer(std::uint64_t seed) : random_{seed} {}

  program write(std::uint64_t seed) {
    program written;
    written.seed = seed;
    if (below(2) == 0) {
      written.short_counts = below(2) * 0.5;
      written.delays = below(2) * 0.3;
      written.resets = below(4) == 0 ? 0.05 : 0;
    }
    written.fibers.resize(static_cast<std::size_t>(2 + below(most_fibers - 1)));
    const int count = static_cast<int>(written.fibers.size());
    for (int self = 0; self < count; ++self) {
      auto& mine = written.fibers[static_cast<std::size_t>(self)];
      for (int left = 1 + below(most_actions); left > 0; --left) mine.push_back(any(self, count));
    }
    return written;
  }

 private:
  int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }

  // A fiber spawns only later ones, so that the first is never spawned by another.
  action any(int self, int count) {
    int total = 0;
    for (const auto& each : verbs) total += each.weight;
    int chosen = below(total), index = 0;
    while (chosen >= verbs[index].weight) chosen -= verbs[index++].weight;
    const auto what = static_cast<verb>(index);
    const bool starts = what == verb::spawn || what == verb::group || what == verb::group_for;
    if (starts && self + 1 == count) return {verb::sleep, 0, below(most_amount)};
    const int object = starts                           ? self + 1 + below(count - self - 1)
                       : verbs[index].objects == fibers ? below(count)
                                                        : below(verbs[index].objects);
    return {what, object, below(most_amount)};
  }

  std::mt19937_64 random_;
};

verb verb_named(const std::string& name) {
  const auto* found = std::ranges::find(verbs, name, [](const auto& each) { return each.name; });
  if (found == std::end(verbs)) throw std::invalid_argument{name + " is no verb"};
  return static_cast<verb>(found - verbs);
}

std::vector<action> actions_of(std::istringstream line) {
  std::vector<action> actions;
  std::string name;
  action read{};
  char separator = ';';
  while (separator == ';' && line >> name >> read.object >> read.amount) {
    read.what = verb_named(name);
    actions.push_back(read);
    if (!(line >> separator)) break;
  }
  return actions;
}

}  // namespace

std::string_view name_of(verb what) noexcept {
  return verbs[static_cast<std::size_t>(what)].name;
}

program random_program(std::uint64_t seed) {
  return writer{seed}.write(seed);
}

std::string text_of(const program& written) {
  std::ostringstream text;
  text << "seed " << written.seed << "\nfaults " << written.short_counts << ' ' << written.delays
       << ' ' << written.resets << '\n';
  for (const auto& fiber : written.fibers) {
    text << "fiber";
    for (const char* before = " "; const auto& each : fiber) {
      text << before << name_of(each.what) << ' ' << each.object << ' ' << each.amount;
      before = "; ";
    }
    text << '\n';
  }
  return text.str();
}

program program_of(const std::string& text) {
  program read;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    std::string first;
    words >> first;
    if (first == "seed") {
      words >> read.seed;
    } else if (first == "faults") {
      words >> read.short_counts >> read.delays >> read.resets;
    } else if (first == "fiber") {
      read.fibers.push_back(actions_of(std::istringstream{line.substr(first.size())}));
    } else if (!first.empty()) {
      throw std::invalid_argument{line + ": no line of a program"};
    }
  }
  return read;
}

}  // namespace random_programs
