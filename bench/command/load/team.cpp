#include <algorithm>
#include <bench/command/load/team.hpp>
#include <bench/text/failure.hpp>
#include <cmath>
#include <exception>
#include <future>
#include <utility>

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr auto until_stop_is_seen = 50ms;
constexpr auto between_reports = 1s;

// Until run() threw. What was under way then is not missing, but what was due long before is: a
// load that is interrupted while the server stalls would else not show the stall.
load_sample ended_early(const load_generator& client, load_generator::server_number server) {
  auto seen = client.so_far().front();
  const std::chrono::nanoseconds p99{std::llround(seen.latency_ns.percentile(99))};
  seen.unanswered = client.overdue(server, std::max<std::chrono::nanoseconds>(100ms, p99));
  return seen;
}

void load_with(load_generator& client, load_generator::server_number server,
               std::chrono::nanoseconds duration, double per_second, load_sample& found) {
  per_second > 0 ? client.start_at_rate({server}, per_second) : client.start({server});
  try {
    found = client.run(duration).front();
  } catch (...) {
    found = ended_early(client, server);
    throw;
  }
  try {
    client.finish();
  } catch (const no_answer&) {
    if (per_second == 0) found.unanswered = client.overdue(server, 0s);
    throw;
  }
}

// An error of a client interrupts the others, so it matters more than an interruption.
void rethrow_the_first(std::vector<std::future<void>>& ended) {
  std::exception_ptr interruption, error;
  for (auto& each : ended) {
    try {
      each.get();
    } catch (const interrupted&) {
      interruption = std::current_exception();
    } catch (...) {
      if (!error) error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
  if (interruption) std::rethrow_exception(interruption);
}

}  // namespace

load_threads::load_threads(const scenario& shape, int threads, const std::atomic<bool>& stop,
                           const std::vector<address>& sources)
    : shape_{shape}, stop_{stop}, published_(static_cast<std::size_t>(threads)) {
  for (int i = 0; i < threads; ++i) {
    auto part = shape;
    part.connections = share_of(shape.connections, threads, i);
    part.idle_connections = share_of(shape.idle_connections, threads, i);
    const auto seed = static_cast<std::uint64_t>(i) + 1;
    clients_.push_back(std::make_unique<client>(part, seed, ended_));
    clients_.back()->generator.set_sources(sources);
  }
}

void load_threads::connect(const address& where) {
  on_each_thread([&](std::size_t number) {
    auto& each = *clients_[number];
    each.server = each.generator.add_server(where.text, where);
    each.generator.connect(each.server, each.shape.all_connections());
  });
}

std::string load_threads::prefix() const {
  return clients_.front()->generator.prefix(clients_.front()->server);
}

void load_threads::load(nanoseconds duration, double per_second, load_sample& found) {
  std::vector<load_sample> measured(clients_.size());
  std::fill(published_.begin(), published_.end(), load_sample{});
  try {
    on_each_thread([&](std::size_t number) {
      auto& each = *clients_[number];
      const auto share = static_cast<double>(each.shape.connections) / shape_.connections;
      if (look_) each.generator.set_observer(between_reports, [this, number] { publish(number); });
      load_with(each.generator, each.server, duration, per_second * share, measured[number]);
    });
  } catch (...) {
    found = sum_of(measured);
    throw;
  }
  found = sum_of(measured);
}

void load_threads::publish(std::size_t number) {
  auto so_far = clients_[number]->generator.so_far().front();
  const std::lock_guard lock{guard_};
  published_[number] = std::move(so_far);
}

void load_threads::look_at_published() {
  load_sample so_far;
  {
    const std::lock_guard lock{guard_};
    so_far = sum_of(published_);
  }
  if (so_far.seconds > 0) look_(so_far);
}

// Runs work(number) for each client on a thread of its own, and watches until all have ended.
template <class Work>
void load_threads::on_each_thread(Work work) {
  std::vector<std::future<void>> working;
  const auto begin = [&](std::size_t number) {
    working.push_back(std::async(std::launch::async, [&, number] {
      try {
        work(number);
      } catch (...) {
        ended_ = true;
        throw;
      }
    }));
  };
  try {
    for (std::size_t i = 0; i < clients_.size(); ++i) begin(i);
  } catch (...) {
    ended_ = true;  // `working` waits for those that began
    throw;
  }
  auto next_look = std::chrono::steady_clock::now() + between_reports;
  for (auto& each : working) {
    while (each.wait_for(until_stop_is_seen) != std::future_status::ready) {
      if (stop_) ended_ = true;
      if (!look_ || std::chrono::steady_clock::now() < next_look) continue;
      look_at_published();
      next_look += between_reports;
    }
  }
  rethrow_the_first(working);
}

}  // namespace bench
