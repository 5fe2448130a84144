// caveats: reasons not to believe a number, as data, so that every report can print them.
//
//     caveat found = caveats::not_pinned{"--pin none"};
//     text_of(found);                                       // the caveat as a sentence
//     first_of<caveats::run_void>(record.caveats_found);    // null: there is none
#pragma once

#include <bench/record/block_kind.hpp>
#include <string>
#include <variant>
#include <vector>

namespace bench {

namespace caveats {
struct client_saturated {
  std::string server;
  std::string scenario;
  double utilisation;
};
struct backend_mismatch {
  std::string server;
  std::string asked;
  std::string got;
};
struct blocks_correlated {
  std::string scenario;
  std::string comparison;
  double p;
};
struct debug_build {
  std::string server;
};
struct threads_mixed {
  std::string base;
  std::string contender;
};
struct control_misread {  // the interval of what was read excludes what was burnt, per message
  std::string scenario;
  double burnt_ns;
  double low_ns;
  double high_ns;
};
struct one_cpu {};
struct not_pinned {
  std::string reason;
};
struct noisy_machine {
  double foreign_cpu_share;
};
struct no_control {};  // it is unknown how far apart two equal servers measure here
struct run_incomplete {
  int rounds_done;
  int rounds_planned;
};
struct load_saturated {  // open loop: `answered` is the share of the due messages
  std::string server;
  std::string scenario;
  double rate_per_second;
  double answered;
};
struct descriptors_missing {  // blocks of that kind were left out
  std::string scenario;
  block_kind kind;
  int wanted;
  int limit;
};
struct server_missing {  // every pairing that needs it was left out
  std::string server;
  std::string reason;
};
struct calls_not_counted {
  std::string reason;
};
struct run_resumed {  // after an interruption, at that time
  std::string at_utc;
};
struct run_void {  // a server answered with bytes that it was not sent
  std::string reason;
};
struct time_stolen {  // the hypervisor took this share of the servers' CPU
  double share;
};
struct clock_follows_load {  // a governor other than "performance"
  std::string governor;
};
struct noise_grade_d {  // of the A/A control: a server compared with itself
  double spread;
};
struct not_started_here {  // a target: nothing is known about its process
  std::string server;
  std::string target;
};
struct processes_changed {  // some began or ended in a timed slice, so its CPU time is incomplete
  std::string server;
};
struct unlike_reactors {  // they shared a duet, where they disturb each other
  std::string base;
  std::string contender;
};
struct client_disturbed {  // other processes used the client's CPU
  double share;
};
struct memory_cut_short {  // the server ended while its memory was measured
  std::string server;
  int connections;
  std::string reason;
};
struct cpu_elsewhere {  // none of the processes that were started here listens
  std::string server;
};
struct empty_slices {  // no message came back, so there is no CPU per message
  std::string scenario;
  std::string comparison;
  int blocks;
};
struct cost_missing {  // messages came back, but no CPU time was counted
  std::string scenario;
  std::string comparison;
  int blocks;
};
struct replies_delayed {  // by the delayed acknowledgement of the client's kernel
  std::string server;
  std::string scenario;
  double p50_us;
};
struct host_differs {  // from the other hosts that loaded the same slices
  std::string host;
  std::string scenario;
  std::string what;  // the figure and that of the others, as the end of a sentence
};
struct generator_saturated {  // the busiest of that host, loading a server alone
  std::string host;
  std::string scenario;
  double utilisation;
};
struct start_skewed {  // in `share` of the host's slices, and by up to `skew_us`
  std::string host;
  double share;
  double skew_us;
};
struct host_left_out {  // by --without
  std::string host;
};
struct servers_elsewhere {  // on a host that is not this machine
  std::string host;
};
}  // namespace caveats

using any_caveat =
    std::variant<caveats::client_saturated, caveats::backend_mismatch, caveats::blocks_correlated,
                 caveats::debug_build, caveats::threads_mixed, caveats::one_cpu,
                 caveats::not_pinned, caveats::noisy_machine, caveats::no_control,
                 caveats::run_incomplete, caveats::empty_slices, caveats::load_saturated,
                 caveats::descriptors_missing, caveats::server_missing, caveats::run_resumed,
                 caveats::run_void, caveats::calls_not_counted, caveats::time_stolen,
                 caveats::clock_follows_load, caveats::noise_grade_d, caveats::not_started_here,
                 caveats::processes_changed, caveats::unlike_reactors, caveats::client_disturbed,
                 caveats::memory_cut_short, caveats::cpu_elsewhere, caveats::cost_missing,
                 caveats::replies_delayed, caveats::control_misread, caveats::host_differs,
                 caveats::generator_saturated, caveats::start_skewed, caveats::host_left_out,
                 caveats::servers_elsewhere>;

// One of them. Copies, moves and the destructor of such a variant are many functions, which take
// seconds to compile: they are compiled once, in caveats.cpp.
class caveat : public any_caveat {
 public:
  using any_caveat::any_caveat;
  caveat(const caveat& other);
  caveat(caveat&& other) noexcept;
  caveat& operator=(const caveat& other);
  caveat& operator=(caveat&& other) noexcept;
  ~caveat();
};

// The first caveat of that kind; null: there is none.
template <class Kind>
const Kind* first_of(const std::vector<caveat>& all) {
  for (const auto& each : all)
    if (const auto* found = std::get_if<Kind>(&each)) return found;
  return nullptr;
}

// A sentence without full stop: "asio-callback/epoll on c64/512: the client used 97 % of its core,
// so ...".
std::string text_of(const caveat& found);

// All caveats as sentences, each once: two pairs of servers may lack the same blocks. The
// client_saturated ones, often many, share one sentence. So do those of each kind that is found of
// hosts.
std::vector<std::string> sentences_of(const std::vector<caveat>& all);

}  // namespace bench
