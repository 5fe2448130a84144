// wait_group: wait until so many things are done.
//
//     fibers::wait_group copies;
//     copies.add(2);                        // one done() is expected of each of two fibers
//     ...
//     copies.wait();                        // parks until both have called copies.done()
//
// It counts, and does not care who works. Where the work is fibers of one's own that may fail, take
// a nursery.
#pragma once

#include <fibers/wait_queue.hpp>

#include <cstddef>

namespace fibers {

class wait_group {
 public:
  wait_group() = default;
  wait_group(const wait_group&) = delete;
  wait_group& operator=(const wait_group&) = delete;

  void add(std::size_t things = 1) noexcept { expected_ += things; }

  // One less. The last one wakes all who wait, and the group can be used again. Precondition: it
  // was added.
  void done() noexcept;

  std::size_t expected() const noexcept { return expected_; }

  // Returns at once when nothing is expected. Throws `cancelled` when that is asked of the fiber
  // first.
  void wait() { wait_until(never); }

  // False: the deadline came first.
  bool wait_for(clock::duration duration) { return wait_until(deadline_after(duration)); }
  bool wait_until(clock::time_point deadline);

 private:
  wait_queue waiting_;
  std::size_t expected_ = 0;
};

}  // namespace fibers
