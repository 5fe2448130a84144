// echobench selftest: measures what each proof needs, with the servers of this build.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bench/command/commands.hpp>
#include <bench/command/interruption.hpp>
#include <bench/machine/machine.hpp>
#include <bench/measure/live_test_bed.hpp>
#include <bench/measure/preparation.hpp>
#include <bench/measure/runner.hpp>
#include <bench/selftest/selftest.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/terminal.hpp>
#include <bench/text/wrapped.hpp>
#include <memory>
#include <string_view>
#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr int rounds = 8;
constexpr auto injected = 1000ns;
constexpr auto pause = 100ms;
const std::string subject = "fibers/epoll";
const std::string slowed_subject = "fibers/epoll with 1 us a message";
// With more connections a slower server lets the client sleep, and the CPU time of waking it would
// be counted as well.
const std::string load = "c16/64";
constexpr int indent = 18;  // of the findings below each claim

struct selftest_bed {
  live_test_bed& bed;
  environment machine;
  bool broken;  // breaks what each proof relies on; every proof must then fail
};

std::vector<server_info> servers_here() {
  auto slowed = find_server(subject, {});
  slowed.name = slowed_subject;
  slowed.command += fmt::format(" --inject-ns {}", injected.count());
  std::vector<server_info> all{find_server(subject, {}), slowed, find_server("floor/epoll", {})};
  for (const std::string mode : {"wrong", "fixed", "short", "honest"})
    all.push_back({mode, "odd_server " + mode, {}});
  return all;
}

std::vector<block> duets(test_bed& bed, const std::string& base, const std::string& contender) {
  run_plan plan;
  plan.pairings.push_back({.scenario = scenario::parse(load),
                           .comparison = {base, contender, "floor/epoll"},
                           .exclusive = false});
  std::vector<block> blocks;
  for (int round = 0; round < rounds; ++round)
    blocks.push_back(measure_block(blocks_of_round(plan, round).front(), plan.timing, bed));
  return blocks;
}

proof same(const selftest_bed& on) {
  return judge_same(duets(on.bed, subject, on.broken ? slowed_subject : subject));
}

proof found_again(const selftest_bed& on) {
  return judge_injected(duets(on.bed, subject, on.broken ? subject : slowed_subject),
                        static_cast<double>(injected.count()));
}

// Stops the server for `pause`, beginning after a third of the load. Null if the proof is broken.
std::unique_ptr<standstill> silence(const selftest_bed& on) {
  if (on.broken) return nullptr;
  return std::make_unique<standstill>(*on.bed.process(0), 2 * pause, pause);
}

proof omission(const selftest_bed& on) {
  constexpr double modest_rate = 4000;
  const auto launched = [&] { on.bed.launch({subject}, scenario::parse("c4/64")); };
  launched();
  on.bed.load({0}, pause);
  slice closed;
  {
    const auto stopped = silence(on);
    closed = on.bed.load({0}, 6 * pause).front();
  }
  on.bed.finish();
  launched();
  on.bed.load_at_rate({0}, modest_rate, pause);
  slice open;
  {
    const auto stopped = silence(on);
    open = on.bed.load_at_rate({0}, modest_rate, 6 * pause).front();
  }
  on.bed.finish();
  return judge_omission(closed, open, static_cast<double>(pause / 1us));
}

std::optional<std::string> refused(test_bed& bed, const std::string& server) try {
  bed.launch({server}, scenario::parse("c4/64"));
  bed.load({0}, 300ms);
  bed.finish();
  return std::nullopt;
} catch (const run_invalid& reason) {
  bed.abandon();
  return reason.what();
}

proof refusal_of_liars(const selftest_bed& on) {
  std::vector<refusal> seen;
  for (const std::string liar : {"wrong", "fixed", "short"})
    seen.push_back({liar, refused(on.bed, on.broken ? "honest" : liar)});
  if (const auto reason = refused(on.bed, "honest"))
    return {false, "an honest server was refused: " + *reason};
  return judge_refusal(seen);
}

// Three threads that never sleep and run on the same CPU as the caller.
std::vector<std::jthread> rivals() {
  std::vector<std::jthread> all;
  for (int i = 0; i < 3; ++i)
    all.emplace_back([](const std::stop_token& enough) {
      while (!enough.stop_requested()) continue;
    });
  return all;
}

// With `broken`, other threads share the client's CPU, which makes its sends late.
proof client(const selftest_bed& on) {
  const auto beside = on.broken ? rivals() : std::vector<std::jthread>{};
  on.bed.launch({"floor/epoll"}, scenario::parse("c256/64"));
  on.bed.load({0}, pause);
  const auto most = on.bed.load({0}, 3 * pause).front();
  client_check seen;
  seen.ceiling_per_second = static_cast<double>(most.messages) / most.seconds;
  on.bed.load_at_rate({0}, seen.ceiling_per_second / 2, pause);
  const auto timed = on.bed.load_at_rate({0}, seen.ceiling_per_second / 2, 5 * pause).front();
  on.bed.finish();
  seen.late_p99_us = timed.open_loop->late_p99_us;
  seen.worst_percentile_error = worst_percentile_error(100'000, 1);
  return judge_client(seen);
}

struct named_proof {
  std::string_view name;
  std::string_view claim;
  proof (*run)(const selftest_bed&);
  bool noise_may_spoil_it;
};

constexpr std::array proofs{
    named_proof{"same", "a server against itself is not called different", same, true},
    named_proof{"injected", "a microsecond added to each message is found", found_again, true},
    named_proof{"omission", "a stall shows in the open loop and not in the closed one", omission,
                false},
    named_proof{"refusal", "a server that answers other bytes is refused", refusal_of_liars, false},
    named_proof{"client", "the load generator is on time and counts right", client, true},
};

// By chance, one comparison in twenty calls equal servers different, and noise may leave another
// one undecided. A proof that fails three times in a row is not spoilt by noise. Without what it
// rests on it must fail at once.
proof tried(const named_proof& each, const selftest_bed& on) {
  auto seen = each.run(on);
  const int more = each.noise_may_spoil_it && !on.broken ? 2 : 0;
  for (int i = 0; i < more && !seen.holds; ++i) {
    tell(stderr, "{} failed, and noise may have spoilt it; once more: {}\n", each.name, seen.words);
    seen = each.run(on);
  }
  return seen;
}

// Runs and prints one proof. True if it holds.
bool show(const named_proof& each, const selftest_bed& on) {
  if (is_terminal(stderr)) tell(stderr, "{} ...\r", each.name);
  const auto seen = tried(each, on);
  fmt::print("{:<7} {:<9} {}\n", seen.holds ? "ok" : "FAILED", each.name, each.claim);
  for (const auto& line : split(wrapped(seen.words, style_of(stdout).width - indent, 0), '\n'))
    fmt::print("{:{}}{}\n", "", indent, line);
  flush(stdout);
  return seen.holds;
}

}  // namespace

std::vector<std::string_view> proof_names() {
  std::vector<std::string_view> names;
  for (const auto& each : proofs) names.push_back(each.name);
  return names;
}

namespace {

std::string proofs_text() {
  std::string text = "Proofs:\n";
  for (const auto& each : proofs) text += fmt::format("  {:<10} {}\n", each.name, each.claim);
  return text;
}

std::vector<named_proof> chosen_from(const arguments& names) {
  for (const auto& name : names) {
    if (std::none_of(proofs.begin(), proofs.end(), [&](auto& each) { return each.name == name; }))
      throw usage_error(fmt::format("echobench selftest: '{}' is no proof; there are {}", name,
                                    fmt::join(proof_names(), ", ")));
  }
  std::vector<named_proof> chosen;
  for (const auto& each : proofs)
    if (names.empty() || std::find(names.begin(), names.end(), each.name) != names.end())
      chosen.push_back(each);
  return chosen;
}

}  // namespace

int selftest_command(const arguments& given) {
  std::string pin;
  bool broken = false;
  bool allow_debug = false;
  options wanted{"echobench selftest", "[PROOF...]",
                 "Proves that the instrument can be believed on this machine, in about 15 "
                 "seconds. Without names: every proof. Exit code 3 where a proof fails."};
  wanted.add("broken", broken, "break what each proof rests on: every one must fail");
  wanted.add("pin", pin, "SERVER_CPU,CLIENT_CPU", "where to run them, or none");
  wanted.add("allow-debug", allow_debug, "also with debug builds, whose times mean nothing");
  wanted.explain(proofs_text());
  wanted.example("selftest");
  wanted.example("selftest omission refusal");
  const auto chosen = chosen_from(wanted.parse(given));

  const auto& stop = catch_interruption();
  std::vector<caveat> caveats_found;
  const auto machine = prepare_machine(pin, caveats_found);
  const auto servers = servers_here();
  live_test_bed bed{servers, machine.server_cpu, 1, stop};
  std::vector<server_info> timed{servers.front()};
  introduce(timed, bed, allow_debug, caveats_found);
  for (const auto& each : caveats_found) tell(stderr, "note: {}\n", text_of(each));
  int failed = 0;
  for (const auto& each : chosen) failed += show(each, {bed, machine, broken}) ? 0 : 1;
  fmt::print("{} of {} proofs hold\n", chosen.size() - static_cast<std::size_t>(failed),
             chosen.size());
  return failed == 0 ? 0 : 3;
}

}  // namespace bench
