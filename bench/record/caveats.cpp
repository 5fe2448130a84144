// The text of each caveat says what it means for the numbers.
#include <bench/record/caveats.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace bench {
namespace {

std::string share_text(double share) {
  return fmt::format("{:.0f} %", 100 * share);
}

struct sentence {
  std::string operator()(const caveats::client_saturated& c) const {
    return fmt::format("{} on {}: the client used {} of its core, so throughput is the client's",
                       c.server, c.scenario, share_text(c.utilisation));
  }
  std::string operator()(const caveats::backend_mismatch& c) const {
    return fmt::format("{} was asked for {} and runs {}", c.server, c.asked, c.got);
  }
  std::string operator()(const caveats::blocks_correlated& c) const {
    return fmt::format(
        "{} on {}: the blocks depend on each other (Ljung-Box p = {:.2g}), so the "
        "interval is too narrow",
        c.comparison, c.scenario, c.p);
  }
  std::string operator()(const caveats::debug_build& c) const {
    return fmt::format("{} is a debug or sanitizer build: its numbers mean nothing", c.server);
  }
  std::string operator()(const caveats::threads_mixed& c) const {
    return fmt::format("{} and {} use different numbers of threads", c.base, c.contender);
  }
  std::string operator()(const caveats::one_cpu&) const {
    return "one CPU only: servers and client share it, so there is no throughput verdict";
  }
  std::string operator()(const caveats::not_pinned& c) const {
    return "servers and client were not pinned to cores: " + c.reason;
  }
  std::string operator()(const caveats::noisy_machine& c) const {
    return fmt::format("other programs took {} of the server core",
                       share_text(c.foreign_cpu_share));
  }
  std::string operator()(const caveats::time_stolen& c) const {
    return fmt::format("the hypervisor took {} of the server core, while the clock went on",
                       share_text(c.share));
  }
  std::string operator()(const caveats::clock_follows_load& c) const {
    return fmt::format(
        "the governor is {}, so the clock rate follows the load and levels are not comparable",
        c.governor);
  }
  std::string operator()(const caveats::noise_grade_d& c) const {
    return fmt::format(
        "noise grade D: a server against itself spread {:.1f} % over the blocks, so only large "
        "differences show",
        100 * c.spread);
  }
  std::string operator()(const caveats::no_control&) const {
    return "no A/A control in this run of at least two blocks: the noise of the machine is unknown";
  }
  std::string operator()(const caveats::run_incomplete& c) const {
    return fmt::format("the run ended early, after {} of {} rounds", c.rounds_done,
                       c.rounds_planned);
  }
  std::string operator()(const caveats::calls_not_counted& c) const {
    return "system calls were not counted: " + c.reason;
  }
  std::string operator()(const caveats::run_resumed& c) const {
    return fmt::format("the run was interrupted and went on at {}", c.at_utc);
  }
  std::string operator()(const caveats::run_void& c) const {
    return "a reply was wrong, and one wrong byte voids the run: " + c.reason;
  }
  std::string operator()(const caveats::empty_slices& c) const {
    return fmt::format("{} on {}: no message came back in {} {}, which have no cost per message",
                       c.comparison, c.scenario, c.blocks, c.blocks == 1 ? "block" : "blocks");
  }
  std::string operator()(const caveats::cost_missing& c) const {
    return fmt::format(
        "{} on {}: {} left out of what CPU costs, because no CPU time was counted for a server "
        "that answered",
        c.comparison, c.scenario,
        c.blocks == 1 ? "1 block is" : fmt::format("{} blocks are", c.blocks));
  }
  std::string operator()(const caveats::replies_delayed& c) const {
    return fmt::format(
        "{} on {}: half of the replies took {:.0f} ms and more while nobody was busy, which is how "
        "long acknowledgements are delayed: do they leave in pieces, without TCP_NODELAY?",
        c.server, c.scenario, c.p50_us / 1000);
  }
  std::string operator()(const caveats::control_misread& c) const {
    return fmt::format(
        "{:.0f} ns that a control burnt per message on {} read as {:.0f} to {:.0f}: nanoseconds "
        "above the bare loop may be off by a like factor",
        c.burnt_ns, c.scenario, c.low_ns, c.high_ns);
  }
  std::string operator()(const caveats::descriptors_missing& c) const {
    return fmt::format(
        "{}: its {} blocks were left out: they want {} descriptors, and the limit is {} (ulimit "
        "-n)",
        c.scenario,
        c.kind == block_kind::duet        ? "duet"
        : c.kind == block_kind::exclusive ? "exclusive"
                                          : "open-loop",
        c.wanted, c.limit);
  }
  std::string operator()(const caveats::server_missing& c) const {
    return fmt::format("{} was left out: {}", c.server, c.reason);
  }
  std::string operator()(const caveats::not_started_here& c) const {
    return fmt::format(
        "{}{} was not started here: its CPU, its memory, its core and its system calls are n/a, "
        "and it has no verdict",
        c.server, c.server == c.target ? "" : " at " + c.target);
  }
  std::string operator()(const caveats::processes_changed& c) const {
    return fmt::format(
        "{}: processes of it began or ended while it was timed (one for each connection?), so its "
        "CPU there is n/a",
        c.server);
  }
  std::string operator()(const caveats::unlike_reactors& c) const {
    return fmt::format(
        "{} and {} disturb each other on one core (unlike reactors, or one that spins or gathers): "
        "no verdict "
        "here; run --servers {},{} measures each alone",
        c.contender, c.base, c.base, c.contender);
  }
  std::string operator()(const caveats::client_disturbed& c) const {
    return fmt::format(
        "other programs took {} of the client's core, so throughput and latency are theirs, too",
        share_text(c.share));
  }
  std::string operator()(const caveats::memory_cut_short& c) const {
    return fmt::format("the memory of {} with {} connections is missing: {}", c.server,
                       c.connections, c.reason);
  }
  std::string operator()(const caveats::cpu_elsewhere& c) const {
    return fmt::format(
        "{}: none of the processes that were started here listens where it answers, so its CPU and "
        "its memory are n/a (a launcher that hands over, as docker does? --target)",
        c.server);
  }
  std::string operator()(const caveats::load_saturated& c) const {
    return fmt::format(
        "{} on {}: saturated, it answered {} of the {:.0f} messages due a second, so it has no "
        "latency",
        c.server, c.scenario, share_text(c.answered), c.rate_per_second);
  }
  std::string operator()(const caveats::host_differs& c) const {
    return fmt::format("load from {} on {} differs from that of the other hosts: {}", c.host,
                       c.scenario, c.what);
  }
  std::string operator()(const caveats::generator_saturated& c) const {
    return fmt::format(
        "{} on {}: the busiest load generator of this host used {} of its CPU, so what it measured "
        "is its own limit",
        c.host, c.scenario, share_text(c.utilisation));
  }
  std::string operator()(const caveats::start_skewed& c) const {
    return fmt::format(
        "{}: in {} of its slices its generators may have begun more than 1 % of the slice before "
        "or "
        "after others, by up to {:.3g} ms, so not all generators timed the same stretch of the "
        "load",
        c.host, share_text(c.share), c.skew_us / 1000);
  }
  std::string operator()(const caveats::host_left_out& c) const {
    return fmt::format(
        "{} was left out (--without {}): the slices without it were loaded by fewer generators",
        c.host, c.host);
  }
  std::string operator()(const caveats::servers_elsewhere& c) const {
    return fmt::format(
        "the servers ran on {}: their system calls were not counted, and what else used that "
        "host's CPU is what {} itself told",
        c.host, c.host);
  }
};

// The loads of one server, or from one host, under which a client was the limit, and how much of
// its CPU it used.
struct loads_at_limit {
  std::string name;  // of the server or the host
  std::vector<std::string> scenarios{};
  double least = 1;
  double most = 0;

  // A server that is compared with several has several rows of one load.
  void add(const std::string& scenario, double utilisation) {
    if (std::find(scenarios.begin(), scenarios.end(), scenario) == scenarios.end())
      scenarios.push_back(scenario);
    least = std::min(least, utilisation);
    most = std::max(most, utilisation);
  }

  std::string text() const {
    const auto low = share_text(least), high = share_text(most);
    const auto shares = low == high ? high : fmt::format("{:.0f} to {}", 100 * least, high);
    return fmt::format("{} on {} ({})", name, fmt::join(scenarios, ", "), shares);
  }
};

template <class Kind>
using rows_of_kind = std::vector<const Kind*>;

// `name`: the member that tells whose a row is.
template <class Kind>
std::vector<std::string> texts_by(std::string Kind::*name, const rows_of_kind<Kind>& rows) {
  std::vector<loads_at_limit> all;
  for (const auto* row : rows) {
    const auto known = std::find_if(all.begin(), all.end(),
                                    [&](const auto& each) { return each.name == row->*name; });
    auto& loads = known == all.end() ? all.emplace_back(loads_at_limit{row->*name}) : *known;
    loads.add(row->scenario, row->utilisation);
  }
  std::vector<std::string> texts;
  for (const auto& each : all) texts.push_back(each.text());
  return texts;
}

// What follows the sentence that these rows share.
std::vector<std::string> texts_of(const rows_of_kind<caveats::client_saturated>& rows) {
  return texts_by(&caveats::client_saturated::server, rows);
}
std::vector<std::string> texts_of(const rows_of_kind<caveats::generator_saturated>& rows) {
  return texts_by(&caveats::generator_saturated::host, rows);
}
std::vector<std::string> texts_of(const rows_of_kind<caveats::host_differs>& rows) {
  std::vector<std::string> texts;
  for (const auto* row : rows)
    texts.push_back(fmt::format("{} on {} ({})", row->host, row->scenario, row->what));
  return texts;
}
std::vector<std::string> texts_of(const rows_of_kind<caveats::start_skewed>& rows) {
  std::vector<std::string> texts;
  for (const auto* row : rows)
    texts.push_back(fmt::format("{} in {} of its slices, by up to {:.3g} ms", row->host,
                                share_text(row->share), row->skew_us / 1000));
  return texts;
}

// One sentence for all caveats of this kind.
template <class Kind>
class shared_sentence {
 public:
  explicit shared_sentence(std::string_view beginning) : beginning_{beginning} {}

  // False: the caveat is of another kind.
  bool take(const caveat& found) {
    const auto* row = std::get_if<Kind>(&found);
    if (row) rows_.push_back(row);
    return row != nullptr;
  }

  void add_to(std::vector<std::string>& sentences) const {
    if (rows_.size() == 1) sentences.push_back(sentence{}(*rows_.front()));
    if (rows_.size() > 1)
      sentences.push_back(fmt::format("{}: {}", beginning_, fmt::join(texts_of(rows_), "; ")));
  }

 private:
  std::string_view beginning_;
  rows_of_kind<Kind> rows_;
};

}  // namespace

caveat::caveat(const caveat& other) = default;
caveat::caveat(caveat&& other) noexcept = default;
caveat& caveat::operator=(const caveat& other) = default;
caveat& caveat::operator=(caveat&& other) noexcept = default;
caveat::~caveat() = default;

std::vector<std::string> sentences_of(const std::vector<caveat>& all) {
  std::vector<std::string> sentences;
  shared_sentence<caveats::client_saturated> clients{
      "the client was at the limit of its core, so throughput is the client's"};
  shared_sentence<caveats::generator_saturated> generators{
      "the busiest load generator of a host was at the limit of its CPU, so what it measured is "
      "its own limit"};
  shared_sentence<caveats::host_differs> hosts{
      "load from some hosts differs from that of the others"};
  shared_sentence<caveats::start_skewed> starts{
      "generators of some hosts may have begun more than 1 % of a slice before or after others, so "
      "not all generators timed the same stretch of the load"};
  for (const auto& each : all) {
    if (clients.take(each) || generators.take(each) || hosts.take(each) || starts.take(each))
      continue;
    if (auto text = text_of(each);
        std::find(sentences.begin(), sentences.end(), text) == sentences.end())
      sentences.push_back(std::move(text));
  }
  clients.add_to(sentences);
  generators.add_to(sentences);
  hosts.add_to(sentences);
  starts.add_to(sentences);
  return sentences;
}

std::string text_of(const caveat& found) {
  return std::visit(sentence{}, found);
}

}  // namespace bench
