#include <bench/measure/suites.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bench/server/catalogue.hpp>
#include <bench/text/failure.hpp>

namespace bench {
namespace {

using namespace std::chrono_literals;

const std::string headline = headline_scenario;

const matchup on_epoll{"fibers/epoll", "asio-callback/epoll"};
const matchup on_select{"fibers/select", "asio-callback/select"};
const matchup with_coroutines{"fibers/epoll", "asio-coroutine/epoll"};
const matchup on_io_uring{"fibers/io_uring", "asio-callback/io_uring"};

// The parts for select come last and have fewer scenarios: select uses more CPU and is of interest
// to fewer readers.
const std::vector<suite> suites{
    // Short slices and two scenarios: the shortest run that still has an interval.
    {"quick",
     "fibers with Asio on epoll and select, the shortest run that has intervals",
     7,
     28s,
     {.duet_warm_up = 60ms,
      .duet_slice = 150ms,
      .exclusive_settling = 30ms,
      .exclusive_slice = 100ms},
     {{{on_epoll}, {"c16/64", headline}}, {{on_select}, {headline}}}},
    {"default",
     "the same under more loads: open loop, churn, streams, http, tls",
     11,
     320s,
     {},
     {{{on_epoll},
       {"c1/64", "c16/64", headline, "c256/64", "c16/64/d16", "c16/16K", "c64/512/r50%",
        "c16/64/churn", "c1/64K/stream", "c16/16K/stream", "c1/16K/oneway", "c16/64K/oneway"}},
      {{with_coroutines}, {"c64/json", "c1/fields", "c64/512/tls"}},
      {{on_select}, {headline, "c256/64"}}},
     {16, 256, 1024},
     true},
    {"thorough",
     "the same with twice the blocks, more connections and idle ones",
     24,
     1000s,
     {},
     {{{on_epoll},
       {"c1/64", "c16/64", headline, "c256/64", "c1024/64", "c64/64+10000idle", "c16/64/d16",
        "c16/16K", "c64/512/r50%", "c64/512/r20k", "c16/64/churn", "c1/64K/stream",
        "c16/16K/stream", "c1/16K/oneway", "c16/64K/oneway"}},
      {{with_coroutines}, {"c64/json", "c1/fields", "c64/512/tls"}},
      {{on_select}, {"c1/64", headline, "c256/64"}}},
     {16, 256, 1024, 10'000},
     true},
    {"reactors",
     "fibers with Asio on each reactor, and each reactor with epoll",
     10,
     290s,
     {},
     {{{on_epoll, on_select, on_io_uring}, {"c1/64", headline, "c256/64"}},
      {{{"fibers/io_uring", "fibers/epoll"},
        {"fibers/poll", "fibers/epoll"},
        {"asio-callback/io_uring", "asio-callback/epoll"},
        {"floor/io_uring", "floor/epoll"}},
       {"c1/64", headline}}}},
    {"part-load",
     "fibers with Asio at 10, 30, 50 and 80 % of the full rate",
     10,
     270s,
     {.exclusive_slice = 300ms},
     {{{on_epoll, on_io_uring},
       {"c64/512/r10%", "c64/512/r30%", "c64/512/r50%", "c64/512/r80%", headline}}}},
    {"styles",
     "Asio's callbacks with its coroutines, its spawn, and fibers",
     10,
     290s,
     {},
     {{{{"asio-coroutine/epoll", "asio-callback/epoll"},
        {"asio-spawn/epoll", "asio-callback/epoll"},
        {"fibers/epoll", "asio-callback/epoll"},
        {"fibers/epoll", "asio-spawn/epoll"}},
       {"c1/64", headline, "c256/64"}}}},
    {"threads",
     "one thread and two; all of a server's threads share its core",
     10,
     290s,
     {},
     {{{on_epoll,
        {"fibers/epoll/t2", "asio-callback/epoll/t2"},
        {"fibers/epoll/t2", "asio-callback/epoll/t2/shared"}},
       {headline, "c256/64"}}}},
    {"spin",
     "what it gives and takes to look for events before sleeping",
     20,
     290s,
     {},
     {{{{"fibers/epoll/spin50us", "fibers/epoll"}, {"fibers/io_uring/spin50us", "fibers/io_uring"}},
       {"c1/64"}}}},
    {"gather",
     "one system call per message, and sleeping for several messages",
     12,
     600s,
     {},
     {{{{"fibers/io_uring", "floor/epoll"},
        {"fibers/io_uring/gatheroff", "floor/epoll"},
        {"fibers/io_uring/gather50us", "floor/epoll"},
        {"fibers/io_uring/gather100us", "floor/epoll"},
        {"fibers/io_uring/gather200us", "floor/epoll"},
        {"asio-callback/io_uring", "floor/epoll"}},
       {"c1/64", "c4/64", "c16/64", "c256/64", "c64/64/r10k", "c64/64/r30k", "c64/64/r50k",
        "c64/64"}}}},
    {"streams",
     "large messages without a pause, echoed and one way",
     14,
     600s,
     {},
     {{{{"fibers/io_uring", "asio-callback/epoll"},
        {"fibers/io_uring", "floor/io_uring"},
        {"floor/io_uring", "floor/epoll"}},
       {"c1/16K/stream", "c1/64K/stream", "c16/16K/stream", "c16/64K/stream", "c1/16K/oneway",
        "c1/64K/oneway", "c16/16K/oneway", "c16/64K/oneway"}}}},
    {"automatic",
     "what each takes by itself: fibers io_uring, and Asio epoll",
     10,
     240s,
     {},
     {{{{"fibers/io_uring", "asio-callback/epoll"}},
       {"c1/64", "c4/64", "c16/64", headline, "c256/64", "c16/64/d16", "c64/512/d16", "c16/16K",
        "c64/512/r20%", "c64/512/r50%", "c16/64/churn", "c1/64K/stream", "c16/16K/stream",
        "c1/16K/oneway", "c16/64K/oneway"}}}},
    {"http",
     "HTTP by Boost.Beast on fibers and Asio, and by a bare loop",
     10,
     360s,
     {},
     {{{{"fibers/io_uring", "asio-coroutine/epoll"},
        with_coroutines,
        on_epoll,
        {"fibers/io_uring", "floor/io_uring"}},
       {"c1/json", "c64/plaintext", "c64/json", "c16/plaintext/d16"}}}},
    {"protocol",
     "structures read field by field, plainly and through a buffer",
     10,
     360s,
     {},
     {{{with_coroutines,
        {"fibers/io_uring", "asio-coroutine/epoll"},
        {"fibers/epoll/buffered", "asio-coroutine/epoll/buffered"},
        {"fibers/epoll/buffered", "asio-coroutine/epoll/sparing"},
        {"fibers/io_uring/buffered", "asio-coroutine/epoll/sparing"},
        {"fibers/io_uring/buffered", "fibers/io_uring"}},
       {"c1/fields", "c16/fields"}}}},
    {"tls",
     "echoes under TLS, and a handshake per message",
     10,
     360s,
     {},
     {{{on_epoll, with_coroutines, {"fibers/io_uring", "asio-callback/epoll"}},
       {"c1/64/tls", "c64/512/tls", "c16/16K/stream/tls", "c16/64/churn/tls"}}}},
    {"unix",
     "a socket in the file system instead of tcp",
     10,
     290s,
     {},
     {{{{"fibers/epoll/unix", "asio-callback/epoll/unix"},
        {"fibers/io_uring/unix", "asio-callback/io_uring/unix"},
        {"fibers/epoll/unix", "fibers/epoll"}},
       {"c1/64", headline}}}},
    {"peers",
     "fibers, threads, libuv, Boost.Fiber, Go, Node.js and asyncio",
     10,
     350s,
     {},
     {{{on_epoll,
        {"thread/blocking", "asio-callback/epoll"},
        {"libuv/epoll", "asio-callback/epoll"},
        {"boost-fiber/epoll", "asio-callback/epoll"},
        {"go/epoll", "asio-callback/epoll"},
        {"node/epoll", "asio-callback/epoll"},
        {"asyncio/epoll", "asio-callback/epoll"},
        {"floor/epoll", "asio-callback/epoll"}},
       {headline, "c64/512/r50%"}}}},
    {"connections",
     "many connections, most of them idle, and the memory of each",
     9,
     400s,
     {},
     {{{on_epoll, on_io_uring}, {"c1024/64", "c4096/64", "c10000/64", "c64/64+10000idle"}}},
     {16, 256, 1024, 4096, 10'000}},
};

}  // namespace

std::chrono::milliseconds block_timing::slice_alone(const scenario& load) const {
  constexpr int half = 50;
  if (load.rate_percent == 0 || load.rate_percent >= half) return exclusive_slice;
  return std::max(exclusive_slice,
                  std::min(longest_slice, exclusive_slice * half / load.rate_percent));
}

const std::vector<suite>& all_suites() {
  return suites;
}

const matchup& usual_matchup() {
  return on_epoll;
}

const suite& find_suite(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& each : suites) {
    if (each.name == name) return each;
    names.push_back(each.name);
  }
  throw usage_error(fmt::format("--suite '{}' is none of {}", name, fmt::join(names, ", ")));
}

const suite_part& part_for(const suite& chosen, const comparison& pair) {
  const auto suits = [&](const suite_part& part) {
    if (scenario::parse(part.scenarios.front()).asks != service::echo) return false;
    return std::any_of(part.matchups.begin(), part.matchups.end(), [&](const matchup& each) {
      const auto reactor = reactor_of(each.base);
      return reactor == reactor_of(pair.base) || reactor == reactor_of(pair.contender);
    });
  };
  const auto last = std::find_if(chosen.parts.rbegin(), chosen.parts.rend(), suits);
  return last == chosen.parts.rend() ? chosen.parts.front() : *last;
}

}  // namespace bench
