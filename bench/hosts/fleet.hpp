// fleet: generators on many hosts, which load servers together as one client.
//
//     fleet generators{parse_hosts({.from = "a:2,b"}), stop};
//     auto client = generators.make_client(scenario::parse("c64/512"), seed);
//     ...                                      // see load_client
//     client->run(1s).front().hosts;           // what each host measured of it
//
// The connections and the rate of a load are shared out evenly over the generators. One generator
// on this host needs no MPI: it is in this process.
#pragma once

#include <atomic>
#include <bench/hosts/ranks/orders.hpp>
#include <bench/hosts/request.hpp>
#include <bench/load/client.hpp>
#include <bench/record/record.hpp>
#include <memory>
#include <vector>

namespace bench {

// "3 hosts, 6 generators"
std::string text_of(const std::vector<load_host>& hosts);

class fleet {
 public:
  // Starts the generators and hears from each of them. Throws host_failed, which names the host, if
  // one cannot be reached, is of another build or does not answer: after some 7 s if it can be told
  // which, after 40 s otherwise; usage_error if this build has no generators. Those on this host
  // may use `cpus`; empty: those of the calling thread. Once `stop` is true, every call throws
  // `interrupted`.
  fleet(const hosts_request& wanted, const std::atomic<bool>& stop,
        const std::vector<int>& cpus = {});
  ~fleet();
  fleet(const fleet&) = delete;
  fleet& operator=(const fleet&) = delete;

  const std::vector<load_host>& hosts() const { return hosts_; }

  // What each generator said of itself, in the order of the hosts.
  const std::vector<generator_description>& generators() const { return generators_; }

  // What loads servers from all hosts. A new client closes what an earlier one had open. The fleet
  // must outlive it.
  std::unique_ptr<load_client> make_client(const scenario& shape, std::uint64_t seed);

  // Asks all generators, and waits for their answers. Throws what a generator reports, with the
  // name of its host, and host_failed if one is gone. `longest`: what the order may take by itself.
  joint_answer ask(const any_order& order, std::chrono::milliseconds longest);

  // Adds up what the generators measured of the server that was `place`-th in the order.
  load_sample sum(const joint_answer& said, std::size_t place) const;

  const hosts_request& request() const { return wanted_; }

 private:
  class channel;
  class in_this_process;
  class over_mpi;

  void get_to_know();

  hosts_request wanted_;
  std::vector<std::string> by_rank_;
  std::unique_ptr<channel> channel_;
  std::vector<load_host> hosts_;
  std::vector<generator_description> generators_;
};

}  // namespace bench
