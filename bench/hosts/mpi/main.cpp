// echobench_generator: one process of a load from many hosts. echobench starts it through mpirun:
// rank 0 on its own host, with --link, and each generator on the host that --from names.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <bench/contract/version.hpp>
#include <bench/hosts/job.hpp>
#include <bench/hosts/link.hpp>
#include <bench/hosts/mpi/transport.hpp>
#include <bench/hosts/ranks/participant.hpp>
#include <bench/machine/machine.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/numbers.hpp>
#include <bench/text/options.hpp>
#include <boost/mpi/environment.hpp>
#include <csignal>
#include <cstdlib>

namespace {

using namespace std::chrono_literals;

// The orders come from echobench, which ends the whole load by closing the connection.
class orders_from_echobench final : public bench::order_source {
 public:
  explicit orders_from_echobench(const std::string& path) : link_{bench::link::to(path)} {}
  std::string next() override { return *link_.receive(-1ms); }
  void answer(const std::string& joint) override { link_.send(joint); }

 private:
  bench::link link_;
};

struct settings {
  std::string link;  // for rank 0
  std::string host;  // of this process, as --from names it
  std::vector<bench::address> sources;
};

// The rank as mpirun tells it before MPI begins.
std::size_t rank_of_this_process() {
  const char* told = std::getenv("OMPI_COMM_WORLD_RANK");
  if (told == nullptr)
    throw bench::usage_error("echobench starts this program, by mpirun: bench/run load --from");
  return std::stoul(told);
}

settings parse(const bench::arguments& given) {
  settings chosen;
  bench::host_options hosts;
  bool version = false;
  bench::options wanted{"echobench_generator", "",
                        "Loads servers together with others; echobench starts it, by mpirun."};
  wanted.add("link", chosen.link, "PATH", "the socket of echobench, for rank 0");
  wanted.add("from", hosts.from, "HOST[:N][,...]", "the hosts of the ranks from 1 on");
  wanted.add("source", hosts.sources, "HOST=ADDRESS[,...]", "where its connections begin");
  wanted.add("version", version, "print the version, how it was built, and stop");
  wanted.parse(given);
  if (version) {
    fmt::print("{}\n", bench::version_line("echobench_generator"));
    std::exit(0);
  }
  const auto rank = rank_of_this_process();
  const auto all = bench::parse_hosts(hosts);
  chosen.host = bench::hosts_by_rank(all).at(rank);
  for (const auto& host : all.hosts)
    if (rank > 0 && host.name == chosen.host)
      for (const auto& each : host.sources)
        chosen.sources.push_back(bench::address::resolve_all(each, 0).front());
  return chosen;
}

// No error of one process leaves the others waiting: the whole load ends.
int run(const settings& chosen) {
  static const std::atomic<bool> stop{false};
  boost::mpi::environment mpi{false};
  bench::mpi_transport all;
  try {
    bench::participant self{all, {.sources = chosen.sources}, stop};
    std::optional<orders_from_echobench> orders;
    if (all.rank() == 0) orders.emplace(chosen.link);
    if (bench::take_part(self, all, orders ? &*orders : nullptr)) return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "echobench_generator: {}\n", error.what());
  }
  boost::mpi::environment::abort(1);
  return 1;
}

}  // namespace

int main(int argc, char** argv) try {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // without its daemon nobody could end it
  std::signal(SIGPIPE, SIG_IGN);
  const auto chosen = parse({argv + 1, argv + argc});
  bench::raise_descriptor_limit();
  // Before MPI begins, which waits for all: whoever is missing then can be asked for by this.
  fmt::print("{} {} {}\n", bench::sign_of_life, chosen.host, getpid());
  std::fflush(stdout);
  return run(chosen);
} catch (const bench::help_shown&) {
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "echobench_generator: {}\n", error.what());
  return 2;
}
