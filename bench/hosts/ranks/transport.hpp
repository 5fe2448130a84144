// transport: how the processes of one load agree, in four calls that all of them make together.
//
//     const auto order = all.broadcast(all.rank() == 0 ? next_order() : "");   // from rank 0 to
//     all all.barrier();                                  // nobody goes on before everybody is
//     here const auto sums = all.reduce(counts);           // rank 0: of each counter, the sum over
//     all const auto texts = all.gather(mine, 7s);        // rank 0: the text of each, by rank
//
// mpi_transport (in the program echobench_generator) is Open MPI, behind Boost.MPI. `alone` is one
// process that needs nobody. What is measured never waits for a transport: all calls come before a
// timed slice or after it.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace bench {

// These processes have said nothing for too long.
struct ranks_silent : std::runtime_error {
  explicit ranks_silent(std::vector<int> which)
      : std::runtime_error{"some ranks are silent"}, ranks{std::move(which)} {}
  std::vector<int> ranks;
};

class transport {
 public:
  transport() = default;
  transport(const transport&) = delete;
  transport& operator=(const transport&) = delete;
  virtual ~transport() = default;

  virtual int rank() const = 0;  // 0 to size() - 1
  virtual int size() const = 0;

  virtual void barrier() = 0;

  // Returns the text of rank 0, on all ranks. The others wait for it without using their CPU.
  virtual std::string broadcast(const std::string& text) = 0;

  // Returns at rank 0, for each place, the sum over all ranks; at the others, nothing. All give the
  // same number of counters.
  virtual std::vector<std::uint64_t> reduce(const std::vector<std::uint64_t>& counters) = 0;

  // Returns at rank 0 the text of each rank; at the others, nothing. Rank 0 throws ranks_silent if
  // a rank gives neither its text nor a sign of life for `patience`.
  virtual std::vector<std::string> gather(const std::string& text,
                                          std::chrono::milliseconds patience) = 0;

  // A sign of life to rank 0, which waits in gather(). Returns false once a rank has called
  // end_for_all().
  virtual bool alive() { return true; }

  // Tells rank 0, which waits in gather(), that the others need not go on.
  virtual void end_for_all() {}
};

// One process.
class alone final : public transport {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void barrier() override {}
  std::string broadcast(const std::string& text) override { return text; }
  std::vector<std::uint64_t> reduce(const std::vector<std::uint64_t>& counters) override {
    return counters;
  }
  std::vector<std::string> gather(const std::string& text, std::chrono::milliseconds) override {
    return {text};
  }
};

}  // namespace bench
