#include <bench/hosts/ranks/participant.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <bench/hosts/ranks/description.hpp>
#include <bench/statistics/hdr_encoding.hpp>
#include <bench/text/failure.hpp>
#include <cmath>
#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto until_the_start = 50ms;
constexpr auto acceptable_skew = 2ms;
constexpr int most_tries = 10;

struct another_failed {};
// So few because the kernel may take milliseconds for each, where most ports are used.
constexpr int connections_per_sign = 50;

double microseconds_of(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::micro>{time}.count();
}

// At rank 0, whether the processes began a wait close enough to each other.
std::string judged(const std::vector<std::string>& skews) {
  std::int64_t longest = 0;
  for (const auto& each : skews) longest = std::max<std::int64_t>(longest, std::stoll(each));
  return std::chrono::nanoseconds{longest} <= acceptable_skew ? "go" : "again";
}

void append(std::vector<std::uint64_t>& counts, const histogram& times) {
  counts.insert(counts.end(), times.counts().begin(), times.counts().end());
}

histogram histogram_of(const std::uint64_t* counts) {
  histogram times;
  for (std::size_t i = 0; i < histogram::buckets; ++i)
    if (counts[i] != 0) times.add(i, counts[i]);
  return times;
}

std::size_t servers_in(const any_order& order) {
  const auto* loading = std::get_if<orders::load>(&order);
  return loading == nullptr ? 0 : loading->servers.size();
}

std::vector<merged_times> merged(const std::vector<std::uint64_t>& counts) {
  std::vector<merged_times> all;
  for (std::size_t at = 0; at + counts_per_server <= counts.size(); at += counts_per_server) {
    const auto* first = counts.data() + at;
    all.push_back({hdr_encoded(histogram_of(first)),
                   hdr_encoded(histogram_of(first + histogram::buckets)),
                   hdr_encoded(histogram_of(first + 2 * histogram::buckets))});
  }
  return all;
}

}  // namespace

appointment synchronise(transport& all) {
  for (int tries = 1;; ++tries) {
    all.barrier();
    const auto left = clock::now();
    all.barrier();
    const std::chrono::nanoseconds skew = clock::now() - left;
    const auto skews = all.gather(std::to_string(skew.count()), longest_silence);
    const auto verdict = all.broadcast(all.rank() == 0 ? judged(skews) : "");
    if (verdict == "go" || tries == most_tries) return {left + until_the_start, skew};
  }
}

participant::participant(transport& all, settings chosen, const std::atomic<bool>& stop)
    : all_{all},
      chosen_{std::move(chosen)},
      stop_{stop},
      number_{all.size() == 1 ? 0 : all.rank() - 1},
      generators_{std::max(1, all.size() - 1)} {}

answer participant::carry_out(const any_order& order, std::vector<std::uint64_t>& counts) {
  counts_ = &counts;
  counts.clear();
  answer said;
  try {
    std::visit([&](const auto& each) { carry_out(each, said); }, order);
  } catch (const ranks_silent&) {
    throw;
  } catch (const another_failed&) {
    said.ended_early = true;
  } catch (const std::exception& error) {
    said.failure = failure_of(error);
    all_.end_for_all();
  }
  counts.resize(servers_in(order) * counts_per_server);
  return said;
}

// MPI opens its connections when they are first used, so that the first time says nothing.
void participant::carry_out(const orders::introduce&, answer& said) {
  said.about = describe_generator();
  synchronise(all_);
  said.about->start_skew_us = microseconds_of(synchronise(all_).skew);
}

void participant::carry_out(const orders::begin& wanted, answer&) {
  client_.reset();
  if (number_ < 0) return;
  whole_ = wanted.load;
  auto part = whole_;
  part.connections = share_of(whole_.connections, generators_, number_);
  part.idle_connections = share_of(whole_.idle_connections, generators_, number_);
  const auto seed = wanted.seed + static_cast<std::uint64_t>(number_);
  client_ = std::make_unique<load_generator>(part, seed, stop_);
  client_->set_sources(chosen_.sources);
  client_->set_patience(std::chrono::nanoseconds{std::llround(wanted.patience_seconds * 1e9)});
}

void participant::carry_out(const orders::meet& wanted, answer& said) {
  if (number_ < 0) return;
  const auto at = host_and_port::parse(wanted.where).value();
  auto where = address::resolve_all(at.host, at.port).front();
  where.tls_host = wanted.tls_host;
  said.prefix = client_->prefix(client_->add_server(wanted.name, where));
}

void participant::carry_out(const orders::connect& wanted, answer&) {
  if (number_ < 0) return;
  const int total = share_of(wanted.total, generators_, number_);
  for (int open = 0; open < total; all_.alive()) {
    open = std::min(total, open + connections_per_sign);
    client_->connect(wanted.server, open);
  }
}

// Every process waits for the others, also if it has no connection to load.
void participant::carry_out(const orders::load& wanted, answer& said) {
  auto began = synchronise(all_);
  const int own = number_ < 0 ? 0 : share_of(whole_.connections, generators_, number_);
  if (own == 0) return;
  std::vector<std::int64_t> sent_again, answered;
  for (const auto server : wanted.servers) {
    sent_again.push_back(client_->retransmits(server));
    answered.push_back(client_->replies(server));
  }
  std::this_thread::sleep_until(began.at);
  auto samples = timed(wanted, static_cast<double>(own) / whole_.connections, began);
  keep(samples, began, said);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    said.shares[i].retransmits = client_->retransmits(wanted.servers[i]) - sent_again[i];
    said.shares[i].messages_in_all = client_->replies(wanted.servers[i]) - answered[i];
  }
}

// The middle of three parts counts. It begins at a fixed time after the appointment, so that it
// does not matter if this thread overslept. In an open loop the generators send one after the
// other, so that together they send evenly.
std::vector<load_sample> participant::timed(const orders::load& wanted, double share,
                                            appointment& began) {
  const std::chrono::nanoseconds duration{std::llround(wanted.seconds * 1e9)};
  const bool has_signs = duration > without_signs;
  client_->set_observer(has_signs ? std::chrono::nanoseconds{1s} : std::chrono::nanoseconds{0},
                        has_signs ? std::function<void()>{[this] {
                          if (!all_.alive()) throw another_failed{};
                        }}
                                  : nullptr);
  if (wanted.per_second > 0) {
    const std::chrono::duration<double> turn{number_ / wanted.per_second};
    std::this_thread::sleep_for(std::min<std::chrono::duration<double>>(turn, 1s));
    client_->start_at_rate(wanted.servers, wanted.per_second * share);
  } else {
    client_->start(wanted.servers);
  }
  const auto begin = began.at + beside_a_slice;
  if (const auto left = begin - clock::now(); left > 0ns) client_->run(left);
  began.skew += std::max<std::chrono::nanoseconds>(0ns, clock::now() - begin);
  auto samples = client_->run(duration);
  client_->run(beside_a_slice);
  client_->finish();
  return samples;
}

void participant::keep(const std::vector<load_sample>& samples, const appointment& began,
                       answer& said) {
  for (const auto& each : samples) {
    said.shares.push_back({.seconds = each.seconds,
                           .messages = each.messages,
                           .unanswered = each.unanswered,
                           .due = each.due,
                           .client_utilisation = each.client_utilisation,
                           .start_skew_us = microseconds_of(began.skew),
                           .latency = hdr_encoded(each.latency_ns),
                           .late = hdr_encoded(each.late_ns)});
    append(*counts_, each.latency_ns);
    append(*counts_, each.service_ns);
    append(*counts_, each.late_ns);
  }
}

void participant::carry_out(const orders::drop&, answer&) {
  client_.reset();
}

void participant::carry_out(const orders::end&, answer&) {
  client_.reset();
}

joint_answer carry_out_together(participant& self, transport& all, const any_order& order) try {
  std::vector<std::uint64_t> counts;
  joint_answer joint;
  const auto own = self.carry_out(order, counts);
  for (const auto& each : all.gather(to_text(own), longest_silence))
    joint.ranks.push_back(answer_of(each));
  if (counts.empty()) return joint;
  all.broadcast("");  // until rank 0 has heard from all: a sum is waited for with a busy CPU
  joint.times = merged(all.reduce(counts));
  return joint;
} catch (const ranks_silent& gone) {
  return {.ranks = {}, .times = {}, .silent = gone.ranks};
}

bool take_part(participant& self, transport& all, order_source* source) {
  for (;;) {
    const auto order = order_of(all.broadcast(source != nullptr ? source->next() : ""));
    const auto joint = carry_out_together(self, all, order);
    if (source != nullptr) source->answer(to_text(joint));
    if (!joint.silent.empty()) return false;
    if (std::holds_alternative<orders::end>(order)) return true;
  }
}

}  // namespace bench
