// generator_demo: a generator driven by hand, then by a loop.
#include <fibers/generator.hpp>

#include <cstdio>

fibers::generator<int> countdown(int n) {
  return {[n](auto& yield) mutable {
    std::printf("Starting countdown from %d\n", n);
    while (n > 0) {
      yield(n);
      n -= 1;
    }
    std::printf("Countdown complete!\n");
  }};
}

int main() {
  auto counter = countdown(5);
  std::printf("%d\n", counter.next());
  std::printf("%d\n", counter.next());
  std::printf("%d\n", counter.next());
  for (int value : counter) std::printf("%d\n", value);
}
