#include <tests/fuzz/targets.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr std::array all_targets{
    fuzz::target{"run_file", fuzz::run_file, true},
    fuzz::target{"report_file", fuzz::report_file, true},
    fuzz::target{"duel_recording", fuzz::duel_recording, true},
    fuzz::target{"histogram", fuzz::histogram},
    fuzz::target{"scenario", fuzz::scenario},
    fuzz::target{"listening_line", fuzz::listening_line},
    fuzz::target{"server_names", fuzz::server_names},
    fuzz::target{"command_line", fuzz::command_line},
    fuzz::target{"server_options", fuzz::server_options},
    fuzz::target{"duration", fuzz::duration},
};

const fuzz::target& find() {
  const auto* given = std::getenv("FUZZ");
  const std::string_view name = given == nullptr ? "" : given;
  const auto* found = std::ranges::find(all_targets, name, &fuzz::target::name);
  if (found != all_targets.end()) return *found;
  std::fputs("the environment variable FUZZ names the target, one of:", stderr);
  for (const auto& each : all_targets) std::fprintf(stderr, " %s", each.name.data());
  std::fputs("\n", stderr);
  std::exit(2);
}

}  // namespace

const fuzz::target& fuzz::chosen() {
  static const auto& found = find();
  return found;
}

// What libFuzzer calls, or replay.cpp.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::chosen().read({reinterpret_cast<const char*>(data), size});
  return 0;
}
