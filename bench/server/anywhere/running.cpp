#include <bench/server/anywhere/running.hpp>
#include <bench/server/process.hpp>

namespace bench {

std::unique_ptr<running_server> this_host::start(const server_info& server, std::optional<int> cpu,
                                                 const std::atomic<bool>& stop) {
  return std::make_unique<server_process>(server,
                                          launch_options{.cpu = cpu,
                                                         .stop = &stop,
                                                         .reached_at = reached_at_,
                                                         .for_other_hosts = !reached_at_.empty()});
}

processor_times this_host::read_processor(std::optional<int> cpu) {
  return processor_times::read(cpu);
}

}  // namespace bench
