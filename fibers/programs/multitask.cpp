// multitask: three fibers take turns on one task queue.
#include <fibers/fiber_handle.hpp>

#include <cstdio>

namespace {

fibers::task_queue tasks;

void countdown(int n) {
  while (n > 0) {
    std::printf("T-minus %d\n", n);
    tasks.yield();
    n -= 1;
  }
}

void countup(int n) {
  int x = 0;
  while (x < n) {
    std::printf("Up we go %d\n", x);
    tasks.yield();
    x += 1;
  }
}

template <class Task>
void append(const char* name, Task task) {
  tasks.spawn(name, [task] {
    task();
    std::printf("Task done\n");
  });
}

}  // namespace

int main() {
  append("countdown", [] { countdown(10); });
  append("countdown", [] { countdown(5); });
  append("countup", [] { countup(20); });
  while (tasks.any_ready()) tasks.run_round();
}
