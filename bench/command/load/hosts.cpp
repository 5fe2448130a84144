#include <bench/command/load/team.hpp>

namespace bench {

void load_hosts::connect(const address& where) {
  server_ = client_->add_server(where.text, where);
  client_->connect(server_, shape_.all_connections());
}

void load_hosts::load(nanoseconds duration, double per_second, load_sample& found) {
  per_second > 0 ? client_->start_at_rate({server_}, per_second) : client_->start({server_});
  found = client_->run(duration).front();
}

}  // namespace bench
