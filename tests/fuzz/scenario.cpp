// Scenario names: what is accepted has a text that is read back as the same scenario.
#include <tests/fuzz/expect.hpp>

#include <bench/record/scenario.hpp>
#include <stdexcept>

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = fuzz::text_of(data, size);
  bench::scenario found;
  if (!fuzz::accepts<std::invalid_argument>(input, [&] { found = bench::scenario::parse(input); }))
    return 0;
  fuzz::expect(bench::scenario::parse(found.text()) == found, "its name is not read back");
  fuzz::expect(found.checked() == found, "it is not within its own limits");
  fuzz::expect(found.all_connections() <= 2 * bench::max_connections,
               "it has too many connections");
  fuzz::expect_showable(found.text(), "its name");
  fuzz::expect_showable(found.words(), "what it says in words");
  return 0;
}
