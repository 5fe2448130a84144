// Scenario names: what is accepted has a text that is read back as the same scenario.
#include <tests/fuzz/expect.hpp>
#include <tests/fuzz/targets.hpp>

#include <bench/record/scenario.hpp>
#include <stdexcept>

void fuzz::scenario(std::string_view input) {
  bench::scenario found;
  if (!fuzz::accepts<std::invalid_argument>(input, [&] { found = bench::scenario::parse(input); }))
    return;
  fuzz::expect(bench::scenario::parse(found.text()) == found, "its name is not read back");
  fuzz::expect(found.checked() == found, "it is not within its own limits");
  fuzz::expect(found.all_connections() <= 2 * bench::max_connections,
               "it has too many connections");
  fuzz::expect_showable(found.text(), "its name");
  fuzz::expect_showable(found.words(), "what it says in words");
}
