#include <bench/hosts/fleet.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/hosts/job.hpp>
#include <bench/hosts/launcher.hpp>
#include <bench/hosts/ranks/participant.hpp>
#include <bench/statistics/hdr_encoding.hpp>
#include <bench/text/failure.hpp>
#include <cmath>
#include <map>
#include <numeric>

namespace bench {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

// With a diagnosis of the failure it has to end within 10 s.
constexpr std::chrono::milliseconds longest_launch = 7s;
constexpr std::chrono::milliseconds longest_launch_of_a_host = 50ms;
constexpr auto between_looks = 50ms;
// Where no host is held up by anything, a launch may be slow: over a far network, or on a busy
// host.
constexpr std::chrono::milliseconds longest_slow_launch = 30s;
constexpr auto between_questions = 2s;
// mpirun says at the end of a job which process ended it, and waits for the others before.
constexpr auto until_mpirun_explains = 6s;
// Beyond the silence after which rank 0 itself names who is missing.
constexpr auto beyond_silence = 1500ms;

load_sample sample_of(const generator_share& share) {
  load_sample sample;
  sample.seconds = share.seconds;
  sample.messages = share.messages;
  sample.messages_in_all = share.messages_in_all;
  sample.unanswered = share.unanswered;
  sample.due = share.due;
  sample.client_utilisation = share.client_utilisation;
  return sample;
}

// The parts of one host, as long as they are added up.
struct host_sum {
  host_share share;
  histogram latency;
  histogram late;

  void add(const generator_share& part) {
    share.messages += part.messages;
    share.client_utilisation = std::max(share.client_utilisation, part.client_utilisation);
    share.start_skew_us = std::max(share.start_skew_us, part.start_skew_us);
    share.retransmits += part.retransmits;
    latency.merge(hdr_decoded(part.latency));
    late.merge(hdr_decoded(part.late));
  }
  host_share finished() {
    share.p50_us = latency.percentile(50) / 1000;
    share.p99_us = latency.percentile(99) / 1000;
    share.late_p99_us = late.percentile(99) / 1000;
    return share;
  }
};

class fleet_client final : public load_client {
 public:
  fleet_client(fleet& all, const scenario& shape, std::uint64_t seed)
      : all_{all}, shape_{shape}, seed_{seed} {}
  ~fleet_client() override {
    if (begun_) try {
        all_.ask(orders::drop{}, 1s);
      } catch (...) {  // the fleet says so at its next order
      }
  }

  void set_patience(nanoseconds patience) override { patience_ = patience; }

  server_number add_server(std::string name, const address& where) override {
    if (where.storage.ss_family == AF_UNIX)
      throw usage_error(
          fmt::format("{}: other hosts cannot reach the Unix socket {}", name, where.text));
    begin();
    const orders::meet order{std::move(name), where.text, where.tls_host};
    std::optional<std::string> prefix;
    for (const auto& each :
         all_.ask(order, std::chrono::ceil<std::chrono::milliseconds>(patience_)).ranks) {
      if (!each.prefix) continue;
      if (prefix && *prefix != *each.prefix)
        throw wrong_reply(fmt::format("{} gives hosts different prefixes", order.name));
      prefix = each.prefix;
    }
    prefixes_.push_back(prefix.value_or(""));
    return prefixes_.size() - 1;
  }

  void connect(server_number number, int total) override {
    expect_ports(total);
    all_.ask(orders::connect{number, total}, std::chrono::milliseconds{total});
  }

  void start(const std::vector<server_number>& servers) override { start_at_rate(servers, 0); }
  void start_at_rate(const std::vector<server_number>& servers, double per_second) override {
    loaded_ = servers;
    per_second_ = per_second;
  }

  // Each call goes from quiet to quiet, so no reply lies unread while the hosts agree on the next.
  std::vector<load_sample> run(nanoseconds duration) override {
    const double seconds = std::chrono::duration<double>{duration}.count();
    const auto said = all_.ask(orders::load{loaded_, per_second_, seconds}, longest(duration));
    std::vector<load_sample> samples;
    for (std::size_t i = 0; i < loaded_.size(); ++i) samples.push_back(all_.sum(said, i));
    return samples;
  }

  std::int64_t finish() override {
    loaded_.clear();
    return 0;
  }

  std::string prefix(server_number number) const override { return prefixes_.at(number); }

 private:
  void begin() {
    if (std::exchange(begun_, true)) return;
    const double patience = std::chrono::duration<double>{patience_}.count();
    all_.ask(orders::begin{shape_, seed_, patience}, 1s);
  }

  // An open loop may wait for late replies in each of its three parts.
  std::chrono::milliseconds longest(nanoseconds duration) const {
    constexpr auto parts = 3;
    constexpr auto most_for_late_replies = 2s;
    return std::chrono::ceil<std::chrono::milliseconds>(duration) + parts * beside_a_slice +
           parts * most_for_late_replies;
  }

  // Throws where a host has too few addresses, or its generators too few descriptors.
  void expect_ports(int total) const {
    const auto& wanted = all_.request();
    std::size_t first = 0;
    for (const auto& host : wanted.hosts) {
      const auto& about = all_.generators()[first];
      const int each = (total + wanted.generators() - 1) / wanted.generators();
      const auto places = about.ports * std::max<int>(1, static_cast<int>(host.sources.size()));
      if (each * host.generators > places)
        throw usage_error(
            fmt::format("{}: {} connections, and its addresses have {} ports for one server; "
                        "--source {}=ADDRESS,... names more addresses",
                        host.name, each * host.generators, places, host.name));
      if (each + other_descriptors > about.descriptors)
        throw usage_error(
            fmt::format("{}: a generator may have {} files open, too few for {} connections; "
                        "--from {}:{} starts more generators",
                        host.name, about.descriptors, each, host.name, host.generators + 1));
      first += static_cast<std::size_t>(host.generators);
    }
  }

  fleet& all_;
  scenario shape_;
  std::uint64_t seed_;
  nanoseconds patience_ = 5s;
  bool begun_ = false;
  std::vector<std::string> prefixes_;
  std::vector<server_number> loaded_;
  double per_second_ = 0;
};

}  // namespace

std::string text_of(const std::vector<load_host>& hosts) {
  const int generators =
      std::accumulate(hosts.begin(), hosts.end(), 0,
                      [](int sum, const auto& each) { return sum + each.generators; });
  return fmt::format("{} host{}, {} generator{}", hosts.size(), hosts.size() == 1 ? "" : "s",
                     generators, generators == 1 ? "" : "s");
}

// How orders reach the generators.
class fleet::channel {
 public:
  channel() = default;
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;
  virtual ~channel() = default;
  virtual joint_answer ask(const any_order& order, std::chrono::milliseconds longest) = 0;
};

class fleet::in_this_process final : public channel {
 public:
  in_this_process(const hosts_request& wanted, const std::atomic<bool>& stop)
      : self_{all_, {.sources = addresses(wanted.hosts.front().sources)}, stop} {}
  joint_answer ask(const any_order& order, std::chrono::milliseconds) override {
    return carry_out_together(self_, all_, order);
  }

 private:
  static std::vector<address> addresses(const std::vector<std::string>& texts) {
    std::vector<address> all;
    for (const auto& each : texts) all.push_back(address::resolve_all(each, 0).front());
    return all;
  }

  alone all_;
  participant self_;
};

class fleet::over_mpi final : public channel {
 public:
  over_mpi(const hosts_request& wanted, const std::atomic<bool>& stop, const std::vector<int>& cpus)
      : by_rank_{hosts_by_rank(wanted)}, stop_{stop}, job_{wanted, meeting_, cpus} {
    auto until = clock::now() + launch_time();
    const auto latest = until + longest_slow_launch;
    while (!link_) {
      link_ = meeting_.accept(between_looks);
      expect_alive(until, latest);
    }
  }
  ~over_mpi() override {
    if (failed_ || !link_) return;
    try {
      link_->send(to_text(any_order{orders::end{}}));
      job_.wait(2s);
    } catch (const std::exception&) {  // then it has ended, or the destructor of the job ends it
    }
  }

  // Until the first answer the generators may still be starting.
  joint_answer ask(const any_order& order, std::chrono::milliseconds longest) override try {
    const bool launching = std::exchange(first_, false);
    auto until =
        clock::now() + (launching ? launch_time() : longest + longest_silence + beyond_silence);
    const auto latest = launching ? until + longest_slow_launch : until;
    link_->send(to_text(order));
    for (;;) {
      if (const auto text = link_->receive(between_looks)) return expect_all(*text);
      expect_alive(until, latest);
    }
  } catch (const link_broken&) {
    job_.wait(until_mpirun_explains);
    fail(fmt::format("the generators ended; mpirun said: {}", job_.last_words()));
  }

 private:
  joint_answer expect_all(const std::string& text) {
    auto joint = joint_answer_of(text);
    if (joint.silent.empty()) return joint;
    std::string who;
    for (const int rank : joint.silent)
      who += fmt::format("{}{} (rank {})", who.empty() ? "" : ", ",
                         by_rank_[static_cast<std::size_t>(rank)], rank);
    fail(fmt::format("{}: no sign of life for {} s", who, longest_silence / 1s));
  }

  // After `until` it asks the hosts what holds them up. If nothing does, they may only be slow, and
  // it goes on until `latest`.
  void expect_alive(clock::time_point& until, clock::time_point latest) {
    if (stop_) {
      failed_ = true;
      job_.stop();
      throw interrupted{};
    }
    if (job_.has_ended()) fail(fmt::format("mpirun ended; it said: {}", job_.last_words()));
    if (clock::now() < until) return;
    const auto found = job_.diagnosis();
    if (!found.empty()) fail(found);
    if (clock::now() > latest) fail(fmt::format("one of {} does not answer", names_of_hosts()));
    until = clock::now() + between_questions;
  }

  std::chrono::milliseconds launch_time() const {
    return longest_launch + longest_launch_of_a_host * static_cast<int>(by_rank_.size());
  }

  std::string names_of_hosts() const {
    std::string names;
    for (std::size_t rank = 1; rank < by_rank_.size(); ++rank)
      if (by_rank_[rank] != by_rank_[rank - 1])
        names += (names.empty() ? "" : ", ") + by_rank_[rank];
    return names;
  }

  // What mpirun says names the host more often than what is known here.
  [[noreturn]] void fail(const std::string& otherwise) {
    failed_ = true;
    const auto reason = job_.reason();
    job_.stop();
    throw host_failed(reason.empty() ? otherwise : reason);
  }

  std::vector<std::string> by_rank_;
  const std::atomic<bool>& stop_;
  link_listener meeting_;
  generator_job job_;
  std::optional<link> link_;
  bool first_ = true;
  bool failed_ = false;
};

fleet::fleet(const hosts_request& wanted, const std::atomic<bool>& stop,
             const std::vector<int>& cpus)
    : wanted_{this_host_first(wanted)}, by_rank_{hosts_by_rank(wanted_)} {
  if (wanted_.generators() == 1 && is_this_host(wanted_.hosts.front().name)) {
    by_rank_ = {wanted_.hosts.front().name};
    channel_ = std::make_unique<in_this_process>(wanted_, stop);
  } else if (const auto why = why_no_generators(); !why.empty()) {
    throw usage_error("--from: " + why);
  } else {
    channel_ = std::make_unique<over_mpi>(wanted_, stop, cpus);
  }
  get_to_know();
}

fleet::~fleet() = default;

void fleet::get_to_know() {
  const auto said = ask(orders::introduce{}, 0ms);
  const auto first = said.ranks.size() > 1 ? 1U : 0U;
  for (std::size_t rank = first; rank < said.ranks.size(); ++rank) {
    const auto& about = said.ranks[rank].about.value();
    if (about.build != said.ranks[0].about->build)
      throw host_failed(
          fmt::format("{}: its echobench_generator is of another build, {}; here it "
                      "is {}",
                      by_rank_[rank], about.build, said.ranks[0].about->build));
    generators_.push_back(about);
  }
  std::size_t place = 0;
  for (const auto& each : wanted_.hosts) {
    const auto& about = generators_[place];
    hosts_.push_back({each.name, each.generators, about.kernel, about.cpu_model, about.cpus});
    place += static_cast<std::size_t>(each.generators);
  }
}

joint_answer fleet::ask(const any_order& order, std::chrono::milliseconds longest) {
  auto joint = channel_->ask(order, longest);
  for (std::size_t rank = 0; rank < joint.ranks.size(); ++rank)
    if (auto& failure = joint.ranks[rank].failure)
      throw_again({failure->kind, fmt::format("from {}: {}", by_rank_[rank], failure->text)});
  for (const auto& each : joint.ranks)
    if (each.ended_early) throw run_invalid("a generator ended early, and none says why");
  return joint;
}

load_sample fleet::sum(const joint_answer& said, std::size_t place) const {
  std::vector<load_sample> parts;
  std::map<std::string, host_sum> by_host;
  for (std::size_t rank = 0; rank < said.ranks.size(); ++rank) {
    const auto& shares = said.ranks[rank].shares;
    if (shares.empty()) continue;
    parts.push_back(sample_of(shares[place]));
    by_host[by_rank_[rank]].add(shares[place]);
  }
  auto sum = sum_of(parts);
  const auto& times = said.times.at(place);
  sum.latency_ns = hdr_decoded(times.latency);
  sum.service_ns = hdr_decoded(times.service);
  sum.late_ns = hdr_decoded(times.late);
  histogram added;
  for (const auto& each : wanted_.hosts) {
    auto& host = by_host[each.name];
    host.share.host = each.name;
    added.merge(host.latency);
    sum.hosts.push_back(host.finished());
  }
  if (added.counts() != sum.latency_ns.counts())
    throw run_invalid("the times of the hosts do not add up to the times of the load");
  return sum;
}

std::unique_ptr<load_client> fleet::make_client(const scenario& shape, std::uint64_t seed) {
  return std::make_unique<fleet_client>(*this, shape, seed);
}

}  // namespace bench
