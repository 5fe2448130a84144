// sites: the hosts of a run, started: where its servers run, and from where they are loaded.
//
//     run_sites sites{{.place = place, .from = from, .pin = pin}, caveats_found, stop};
//     live_test_bed bed{servers, sites.machine().server_cpu, seed, stop, smallest,
//                       sites.clients(seed), sites.servers()};
#pragma once

#include <atomic>
#include <bench/hosts/fleet.hpp>
#include <bench/hosts/servers/place.hpp>
#include <bench/load/generator.hpp>
#include <bench/measure/live_test_bed.hpp>
#include <bench/measure/plan.hpp>
#include <bench/record/record.hpp>
#include <bench/server/anywhere/running.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bench {

struct wanted_sites {
  std::optional<servers_place> place{};  // absent: the servers run here, for clients here
  std::optional<hosts_request> from{};   // absent: the calling thread loads them
  std::string launcher{};                // starts programs on other hosts
  std::string pin{};                     // as --pin says
};

// Makes the servers of the plan listen where the clients can reach them, at the numeric `address`.
// One that cannot leaves the plan; standard error says so.
void move_servers(run_plan& plan, const std::string& address);

class run_sites {
 public:
  // Pins this thread, and starts what is needed on other hosts. Throws usage_error and host_failed.
  run_sites(const wanted_sites& wanted, std::vector<caveat>& caveats_found,
            const std::atomic<bool>& stop);

  // The host of the servers.
  const environment& machine() const { return machine_; }

  // Empty: the calling thread loads the servers.
  make_load_client clients(std::uint64_t seed) const;
  // Null: they run on this host, and clients reach them where they say.
  std::shared_ptr<server_host> servers() const { return servers_; }

  // Sets what the header of the run says of the hosts.
  void describe(run_header& header) const;

 private:
  void start_servers(const wanted_sites& wanted, std::vector<caveat>& caveats_found,
                     const std::atomic<bool>& stop);
  void start_generators(const hosts_request& from, std::vector<int> cpus,
                        const std::atomic<bool>& stop);

  environment machine_;
  std::shared_ptr<server_host> servers_;
  std::optional<std::string> servers_on_;  // absent: this host
  std::unique_ptr<fleet> generators_;
};

}  // namespace bench
