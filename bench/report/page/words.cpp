#include <bench/report/page/words.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bench/report/page/elements.hpp>
#include <bench/text/numbers.hpp>
#include <utility>

namespace bench {
namespace {

std::string bytes_text(int bytes) {
  return bytes % 1024 == 0 ? fmt::format("{} KiB", bytes / 1024) : fmt::format("{} bytes", bytes);
}

// True if the name at [at, end) is no part of a longer one, as c64/512 is of c64/512/r50%.
bool stands_alone(std::string_view in, std::size_t at, std::size_t end) {
  constexpr std::string_view of_names =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+%-";
  return (at == 0 || of_names.find(in[at - 1]) == of_names.npos) &&
         (end == in.size() || of_names.find(in[end]) == of_names.npos);
}

std::string with_words(std::string sentence, const scenario& load) {
  const auto name = load.text();
  const auto words = load_words(load);
  for (auto at = sentence.find(name); at != sentence.npos; at = sentence.find(name, at)) {
    const auto end = at + name.size();
    if (stands_alone(sentence, at, end)) {
      sentence.replace(at, name.size(), words);
      at += words.size();
    } else {
      at = end;
    }
  }
  return sentence;
}

using entry = std::pair<std::string_view, std::string_view>;
constexpr std::array<entry, 12> entries{{
    {"CPU per message",
     "The processor time, in user space and in the kernel, that the server's process takes for one "
     "request and its reply."},
    {"bare loop, floor",
     "floor/…: the same echo server written by hand on the system calls, with no library. What a "
     "server takes above it is the cost of its library."},
    {"fibers/…, asio-callback/…",
     "The servers: fibers/ is the library of this project, asio- is Boost.Asio (with callbacks, "
     "coroutines or spawn). Behind the stroke stands how they wait: epoll, select or io_uring."},
    {"block, round",
     "Fresh launches of all servers of a row, loaded at once on one core while the bare loop rides "
     "along (“duet”), or one after the other (“exclusive”). A round has one block of each row."},
    {"ratio, 95 % interval",
     "The first server divided by the second: the Hodges-Lehmann estimate over the blocks. In "
     "brackets stands the exact 95 % signed-rank interval, which holds the true value in 19 of 20 "
     "cases."},
    {"margin", "A difference that is smaller than the margin is not called a difference."},
    {"lower, higher, equivalent",
     "The whole interval lies below the margin, above it, or inside it. “tiny”: there is a "
     "difference, and it is inside the margin. “conflict”: blocks of both kinds contradict each "
     "other."},
    {"inconclusive", "The blocks allow both: a difference and none. More blocks would tell."},
    {"A/A control, noise, grade",
     "A server measured against itself. How far the two launches differ is the noise. Grade A is "
     "steady, D is too unsteady to decide by."},
    {"injected",
     "A server that burns extra time on purpose. The run has to find that time, else do not "
     "believe it."},
    {"closed loop, open loop",
     "Closed: the next message waits for the reply. Open: messages are due at a fixed rate, "
     "whether or not the server keeps up."},
    {"p50, p99",
     "The time within which 50 % and 99 % of the messages were answered. PSS: the memory of a "
     "process, where shared pages count by their share."},
}};

}  // namespace

std::string load_words(const scenario& load) {
  const auto messages = is_http(load.asks) ? fmt::format("HTTP requests for {}", name_of(load.asks))
                        : load.asks == service::fields
                            ? "64 structures, which the server reads field by field"
                            : bytes_text(load.message_bytes);
  const auto what = messages + (load.tls ? " under TLS" : "");
  if (load.churn)
    return fmt::format("a new connection per message of {}, {} at a time", what, load.connections);
  auto said = fmt::format("{} {} of {}", count_text(load.connections),
                          load.connections == 1 ? "connection" : "connections", what);
  if (load.asks == service::fields) return said;
  if (load.stream) return said + (load.one_way ? ", one way" : ", streamed and echoed");
  if (load.depth != 1) said += fmt::format(", {} messages at once", load.depth);
  if (load.rate_per_second > 0)
    said += fmt::format(", {} messages per second", count_text(load.rate_per_second));
  if (load.rate_percent > 0) said += fmt::format(", at {} % of the full rate", load.rate_percent);
  if (load.idle_connections > 0)
    said += fmt::format(", beside {} idle ones", count_text(load.idle_connections));
  return said;
}

std::vector<scenario> loads_of(const results& found) {
  std::vector<scenario> loads;
  const auto add = [&](const auto& rows) {
    for (const auto& row : rows)
      if (std::find(loads.begin(), loads.end(), row.scenario) == loads.end())
        loads.push_back(row.scenario);
  };
  add(found.costs);
  add(found.loads);
  add(found.open_loops);
  add(found.kernel);
  add(found.controls);
  return loads;
}

std::string in_words(std::string_view sentence, const results& found) {
  std::string said{sentence};
  for (const auto& load : loads_of(found)) said = with_words(std::move(said), load);
  return said;
}

std::string glossary_html(const results& found) {
  const auto item = [](std::string_view word, std::string_view meaning,
                       const std::string& attributes = {}) {
    return element("div", element("dt", word) + element("dd", escaped(meaning)), attributes);
  };
  std::string items;
  for (const auto& [word, meaning] : entries) items += item(escaped(word), meaning);
  for (const auto& load : loads_of(found))
    items += item(element("code", escaped(load.text())), load_words(load),
                  fmt::format("data-load=\"{}\"", escaped(load.text())));
  return element("dl", items, "class=\"facts\"");
}

}  // namespace bench
