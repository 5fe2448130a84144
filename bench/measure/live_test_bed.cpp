#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <bench/measure/live_test_bed.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/failure.hpp>
#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;

// Shorter than the generator's usual patience, so that a server which cannot take a thousand
// connections is recognised soon.
constexpr auto memory_patience = 1s;
// How long obituary() waits for a process to end: its sockets close before the kernel reports its
// exit, and long before where a sanitizer looks for leaks at the end.
constexpr auto dying = 1s;

slice slice_of(const load_sample& sample, std::optional<double> cpu_ns) {
  const auto us = [&](double percent) { return sample.latency_ns.percentile(percent) / 1000; };
  return {.server = {},
          .seconds = sample.seconds,
          .messages = sample.messages,
          .checked = sample.messages,
          .cpu_ns = cpu_ns,
          .p50_us = us(50),
          .p90_us = us(90),
          .p99_us = us(99),
          .max_us = static_cast<double>(sample.latency_ns.max()) / 1000,
          .client_utilisation = std::min(sample.client_utilisation, 1.0)};
}

// A client that counts from quiet to quiet was answered before and after the timed part too, and
// that took CPU time.
std::optional<double> of_timed_part(std::optional<double> cpu_ns, const load_sample& sample) {
  if (!cpu_ns || sample.messages_in_all <= 0) return cpu_ns;
  return *cpu_ns * static_cast<double>(sample.messages) /
         static_cast<double>(sample.messages_in_all);
}

open_loop_times open_loop_times_of(const load_sample& sample) {
  const auto us = [](const histogram& times, double percent) {
    return times.percentile(percent) / 1000;
  };
  return {.due = sample.due,
          .service_p50_us = us(sample.service_ns, 50),
          .service_p90_us = us(sample.service_ns, 90),
          .service_p99_us = us(sample.service_ns, 99),
          .late_p99_us = us(sample.late_ns, 99),
          .service = std::make_shared<const histogram>(sample.service_ns)};
}

}  // namespace

live_test_bed::live_test_bed(std::vector<server_info> servers, std::optional<int> server_cpu,
                             std::uint64_t seed, const std::atomic<bool>& stop,
                             const scenario& smallest, make_load_client make_client,
                             std::shared_ptr<server_host> host)
    : servers_{std::move(servers)},
      server_cpu_{server_cpu},
      seed_{seed},
      stop_{stop},
      smallest_{smallest},
      client_is_this_thread_{!make_client},
      make_client_{make_client ? std::move(make_client)
                               : [this](const scenario& shape) -> std::unique_ptr<load_client> {
        return std::make_unique<load_generator>(shape, seed_, stop_);
      }},
      host_{host ? std::move(host) : std::make_shared<this_host>()} {}

test_bed::duration live_test_bed::now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

const server_info& live_test_bed::find(const std::string& name) const {
  return *std::find_if(servers_.begin(), servers_.end(),
                       [&](const server_info& each) { return each.name == name; });
}

introduction live_test_bed::introduce(const std::string& server) {
  launch({server}, smallest_);
  auto& [running, number] = launched_.front();
  introduction found;
  if (running) {
    running->expect_foreground();
    found.announced = running->announced();
    found.listens_itself = running->listens_itself();
  }
  if (!found.listens_itself) elsewhere_.insert(server);
  found.prefix = client_->prefix(number);
  abandon();
  return found;
}

std::vector<memory_sample> live_test_bed::measure_memory(const std::string& server,
                                                         const std::vector<int>& connections,
                                                         std::vector<caveat>& caveats_found) {
  std::vector<memory_sample> samples;
  if (find(server).target || elsewhere_.contains(server)) return samples;
  client_ = make_client_(smallest_);
  client_->set_patience(memory_patience);
  try {
    start(server, smallest_);
  } catch (const server_failed&) {
    explain();
  }
  auto& [running, number] = launched_.front();
  int total = 0;
  try {
    for (int each : connections) {
      client_->connect(number, total = each);
      running->count_family();
      const auto pss = running->pss_kib();
      if (pss) samples.push_back({server, total, *pss});
    }
  } catch (const server_failed&) {
    // server_failed means one of two things. The server refuses this number of connections, as
    // select does: the samples at smaller numbers are the result. Or it has crashed: obituary()
    // then has a text.
    if (const auto end = obituary())
      caveats_found.push_back(caveats::memory_cut_short{server, total, *end});
  }
  abandon();
  return samples;
}

kernel_sample live_test_bed::count_calls(const std::string& server, const scenario& shape,
                                         duration warm_up, duration length) {
  launch({server}, shape);
  load({0}, warm_up);
  rest();
  auto& running = *launched_.front().server;
  running.begin_counting();
  auto messages = load({0}, length).front().messages;
  const auto all = from_quiet_to_quiet_.front();
  messages = all > 0 ? all : messages + rest();
  const auto counted = running.counted();
  kernel_sample sample{server, shape, messages, counted.system_calls, counted.context_switches};
  abandon();
  return sample;
}

// Waits until every message is answered, and returns how many were outstanding. While a load goes
// on, hundreds are on their way: counts of messages and of system calls that begin or end then do
// not belong together.
std::int64_t live_test_bed::rest() try {
  loaded_.clear();
  return client_->finish();
} catch (const server_failed&) {
  explain();
}

void live_test_bed::launch(const std::vector<std::string>& servers, const scenario& shape) try {
  client_ = make_client_(shape);
  for (const auto& name : servers) start(name, shape);
  for (const auto& each : launched_) client_->connect(each.number, shape.all_connections());
  for (auto& each : launched_)
    if (each.server) each.server->count_family();
} catch (const server_failed&) {
  explain();
}

// A target runs already, so launching it means connecting to it again.
void live_test_bed::start(const std::string& server, const scenario& shape) {
  const auto& info = find(server);
  if (info.target) {
    const auto at = host_and_port::parse(*info.target).value();
    auto where = address::resolve(at.host, at.port);
    if (shape.tls) where.tls_host = at.host;
    launched_.push_back({nullptr, client_->add_server(server, where)});
    return;
  }
  launched_.push_back({host_->start(made_for(info, shape), server_cpu_, stop_), 0});
  auto where = launched_.back().server->where();
  if (shape.tls) where.tls_host = "";
  launched_.back().number = client_->add_server(server, where);
}

const server_process* live_test_bed::process(std::size_t launch) const {
  return dynamic_cast<const server_process*>(launched_.at(launch).server.get());
}

std::vector<slice> live_test_bed::load(const std::vector<std::size_t>& launches,
                                       duration length) try {
  change_load(launches, 0);
  return measure(length);
} catch (const server_failed&) {
  explain();
}

std::vector<slice> live_test_bed::load_at_rate(const std::vector<std::size_t>& launches,
                                               double per_second, duration length) try {
  change_load(launches, per_second);
  auto slices = measure(length);
  for (auto& each : slices) each.open_loop->rate_per_second = per_second;
  return slices;
} catch (const server_failed&) {
  explain();
}

void live_test_bed::change_load(const std::vector<std::size_t>& launches, double per_second) {
  if (!before_) before_ = read_usage();
  if (launches == loaded_ && per_second == per_second_) return;
  client_->finish();
  std::vector<load_client::server_number> numbers;
  for (auto launch : launches) numbers.push_back(launched_[launch].number);
  per_second > 0 ? client_->start_at_rate(numbers, per_second) : client_->start(numbers);
  loaded_ = launches;
  per_second_ = per_second;
}

// The CPU clocks are read first and the processes are counted afterwards (all_of() calls
// count_family()): counting takes longer, and the servers keep working meanwhile.
std::vector<slice> live_test_bed::measure(duration length) {
  const auto before = cpu_ns_of_loaded();
  const auto start = std::chrono::system_clock::now().time_since_epoch();
  const auto samples = client_->run(length);
  auto used = cpu_ns_of_loaded();
  from_quiet_to_quiet_.clear();
  for (const auto& each : samples) from_quiet_to_quiet_.push_back(each.messages_in_all);
  std::vector<slice> slices;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (used[i]) *used[i] -= before[i].value_or(0);
    const auto cpu_ns = all_of(used[i], loaded_[i], samples[i].messages > 0);
    slices.push_back(slice_of(samples[i], of_timed_part(cpu_ns, samples[i])));
    slices.back().start_ms = start / 1ms;
    if (!samples[i].hosts.empty()) slices.back().hosts = samples[i].hosts;
    if (per_second_ > 0) slices.back().open_loop = open_loop_times_of(samples[i]);
    if (samples.size() > 1) continue;  // servers in a duet wait for each other's CPU time
    slices.back().latency = std::make_shared<const histogram>(samples[i].latency_ns);
  }
  for (auto launch : loaded_)
    if (const auto& running = launched_[launch].server) running->discard_old_output();
  return slices;
}

std::vector<std::optional<double>> live_test_bed::cpu_ns_of_loaded() const {
  std::vector<std::optional<double>> cpu_ns;
  for (auto launch : loaded_) cpu_ns.push_back(cpu_ns_of(launch));
  return cpu_ns;
}

// Returns nullopt where the set of processes changed during the slice, because a process that exits
// takes its CPU clock with it; and where the server answered messages with 0 ns of CPU, which is
// impossible.
std::optional<double> live_test_bed::all_of(std::optional<double> cpu_ns, std::size_t launch,
                                            bool answered) {
  if (!cpu_ns) return std::nullopt;
  auto& running = *launched_[launch].server;
  if (running.count_family() && (*cpu_ns > 0 || (*cpu_ns == 0 && !answered))) return cpu_ns;
  uncounted_.insert(running.name());
  return std::nullopt;
}

std::optional<double> live_test_bed::cpu_ns_of(std::size_t launch) const {
  const auto& running = launched_[launch].server;
  if (!running || elsewhere_.contains(running->name())) return std::nullopt;
  return running->cpu_ns();
}

// Called from a catch block. If a server has ended, its exit status and last words explain more
// than the error of its broken connection, so they replace that error. So does a host that cannot
// be reached any more. Otherwise the error is rethrown.
void live_test_bed::explain() {
  if (const auto end = obituary()) throw server_failed(*end);
  expect_in_reach();
  throw;
}

void live_test_bed::expect_in_reach() const {
  for (const auto& each : launched_)
    if (const auto why = each.server ? host_->why_out_of_reach(*each.server) : std::nullopt)
      throw host_failed(*why);
}

std::optional<std::string> live_test_bed::obituary() {
  for (auto waited = 0ms; waited < dying; waited += 5ms) {
    for (auto& each : launched_)
      if (auto end = each.server ? each.server->obituary() : std::nullopt) return end;
    std::this_thread::sleep_for(5ms);
  }
  return std::nullopt;
}

live_test_bed::usage live_test_bed::read_usage() const {
  usage used{.at = std::chrono::steady_clock::now().time_since_epoch(),
             .processor = host_->read_processor(server_cpu_),
             .clients_processor = {},
             .client_ns = static_cast<double>(thread_cpu_ns())};
  // This thread is pinned.
  if (server_cpu_ && client_is_this_thread_)
    used.clients_processor = processor_times::read(sched_getcpu());
  for (std::size_t i = 0; i < launched_.size(); ++i) used.servers_ns += cpu_ns_of(i).value_or(0);
  return used;
}

disturbance live_test_bed::since(const usage& before) const {
  const auto after = read_usage();
  const auto seconds = std::chrono::duration<double>(after.at - before.at).count();
  const auto servers_ns = after.servers_ns - before.servers_ns;
  const auto client_ns = after.client_ns - before.client_ns;
  const auto others = [&](processor_times usage::*where, double own_ns) {
    const auto busy = (after.*where).busy - (before.*where).busy;
    return std::clamp((busy - own_ns / 1e9) / (seconds * (after.*where).processors), 0.0, 1.0);
  };
  disturbance found;
  found.foreign_cpu_share = others(
      &usage::processor, server_cpu_ || !host_->is_here() ? servers_ns : servers_ns + client_ns);
  if (server_cpu_ && client_is_this_thread_)
    found.client_foreign_share = others(&usage::clients_processor, client_ns);
  found.steal_share = std::clamp(
      (after.processor.steal - before.processor.steal) / (seconds * after.processor.processors),
      0.0, 1.0);
  return found;
}

disturbance live_test_bed::finish() try {
  client_->finish();
  const auto found = before_ ? since(*before_) : disturbance{};
  abandon();
  return found;
} catch (const server_failed&) {
  explain();
}

// Closes the client's connections first, so that the servers have nothing to drain.
void live_test_bed::abandon() noexcept {
  client_.reset();
  for (auto& each : launched_)
    if (each.server) each.server->request_stop();
  launched_.clear();
  loaded_.clear();
  per_second_ = 0;
  before_.reset();
}

}  // namespace bench
