// A shared library that has the library in it.
#include <fibers/scheduler.hpp>

int sum_by_fibers(int first, int second);

int sum_by_fibers(int first, int second) {
  int sum = 0;
  fibers::scheduler scheduler;
  for (const int each : {first, second}) scheduler.spawn([&sum, each] { sum += each; });
  scheduler.run();
  return sum;
}
