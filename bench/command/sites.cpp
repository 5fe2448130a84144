#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bench/command/sites.hpp>
#include <bench/hosts/launcher.hpp>
#include <bench/hosts/servers/remote.hpp>
#include <bench/machine/kernel_counts.hpp>
#include <bench/measure/preparation.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/terminal.hpp>

namespace bench {

void move_servers(run_plan& plan, const std::string& address) {
  const auto planned = plan.servers;
  for (const auto& each : planned) {
    if (can_listen_everywhere(each)) continue;
    leave_out(plan, each.name, "it listens on 127.0.0.1 only, which other hosts cannot reach");
    tell(stderr, "{}\n", text_of(plan.left_out.back()));
  }
  listen_everywhere(plan.servers, address);
}

run_sites::run_sites(const wanted_sites& wanted, std::vector<caveat>& caveats_found,
                     const std::atomic<bool>& stop) {
  const bool elsewhere = wanted.place && !is_this_host(wanted.place->host);
  if (elsewhere && !wanted.pin.empty() && wanted.pin != "none")
    throw usage_error(fmt::format("--pin {}: with --on it can only be none", wanted.pin));
  const auto before = allowed_cpus();
  machine_ = prepare_machine(wanted.pin, caveats_found);
  auto uncounted = kernel_counts{{getpid()}}.reason();
  if (elsewhere) {
    start_servers(wanted, caveats_found, stop);
    uncounted = static_cast<const remote_servers&>(*servers_).about().calls_not_counted;
  } else if (wanted.place) {
    servers_ = std::make_shared<this_host>(wanted.place->address);
  }
  if (!uncounted.empty()) caveats_found.push_back(caveats::calls_not_counted{uncounted});
  if (!wanted.from) return;
  for (const auto& each : wanted.from->left_out)
    caveats_found.push_back(caveats::host_left_out{each});
  start_generators(*wanted.from, before, stop);
}

void run_sites::start_servers(const wanted_sites& wanted, std::vector<caveat>& caveats_found,
                              const std::atomic<bool>& stop) {
  const auto& [host, address] = *wanted.place;
  auto there = std::make_shared<remote_servers>(host, address, launcher{wanted.launcher}, stop);
  auto found = there->about().machine;
  found.commit = machine_.commit;  // the builds are equal, and only this one knows its checkout
  if (wanted.pin == "none") found.server_cpu.reset();
  machine_ = std::move(found);
  servers_ = std::move(there);
  servers_on_ = host;
  // The CPUs of this host are for the load alone.
  std::erase_if(caveats_found,
                [](const caveat& each) { return std::holds_alternative<caveats::one_cpu>(each); });
  caveats_found.push_back(caveats::servers_elsewhere{host});
  tell(stderr, "servers on {} at {}\n", host, address);
}

// The generators on this host, if there are any, leave the servers' CPU alone.
void run_sites::start_generators(const hosts_request& from, std::vector<int> cpus,
                                 const std::atomic<bool>& stop) {
  if (!servers_on_ && cpus.size() > 1 && machine_.server_cpu)
    std::erase(cpus, *machine_.server_cpu);
  machine_.client_cpu.reset();
  generators_ = std::make_unique<fleet>(from, stop, cpus);
  tell(stderr, "load from {}\n", text_of(generators_->hosts()));
}

make_load_client run_sites::clients(std::uint64_t seed) const {
  if (!generators_) return {};
  return [all = generators_.get(), seed](const scenario& shape) {
    return all->make_client(shape, seed);
  };
}

void run_sites::describe(run_header& header) const {
  header.machine = machine_;
  header.servers_on = servers_on_;
  if (generators_) header.hosts = generators_->hosts();
}

}  // namespace bench
