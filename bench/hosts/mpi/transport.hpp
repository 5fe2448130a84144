// transport: mpi_transport, the transport between the processes that mpirun has started.
//
//     boost::mpi::environment mpi;
//     mpi_transport all;
//
// MPI waits by trying again and again. Where a wait may be long (for an order, for the end of a
// load), this class looks for a message first, and sleeps between looks: the generators share their
// CPUs with others. gather() is made of single messages, so rank 0 knows which rank is missing.
#pragma once

#include <bench/hosts/ranks/transport.hpp>
#include <boost/mpi/communicator.hpp>
#include <chrono>
#include <string>
#include <vector>

namespace bench {

class mpi_transport final : public transport {
 public:
  int rank() const override { return world_.rank(); }
  int size() const override { return world_.size(); }
  void barrier() override;
  std::string broadcast(const std::string& text) override;
  std::vector<std::uint64_t> reduce(const std::vector<std::uint64_t>& counters) override;
  std::vector<std::string> gather(const std::string& text,
                                  std::chrono::milliseconds patience) override;
  bool alive() override;
  void end_for_all() override;

 private:
  bool take_signs(int from);
  void pass_on_an_end(int from);
  void forget_ends();

  boost::mpi::communicator world_;
  bool ended_ = false;
};

}  // namespace bench
