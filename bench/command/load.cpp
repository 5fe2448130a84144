// echobench load: loads any echo server, wherever it runs, and checks its replies.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bench/command/commands.hpp>
#include <bench/command/interruption.hpp>
#include <bench/load/generator.hpp>
#include <bench/machine/machine.hpp>
#include <bench/measure/preparation.hpp>
#include <bench/text/failure.hpp>

namespace bench {
namespace {

using namespace std::chrono_literals;

// Accepts "host:port", "[::1]:port", or host and port as two arguments.
address parse_target(const arguments& rest) {
  const auto text = fmt::format("{}", fmt::join(rest, ":"));
  const auto colon = text.rfind(':');
  if (rest.size() > 2 || colon == std::string::npos)
    throw usage_error("echobench load: wants HOST:PORT or HOST PORT");
  const auto found = host_and_port::parse(text);
  if (!found) {
    throw usage_error(
        fmt::format("echobench load: port '{}' is not 1 to 65535", text.substr(colon + 1)));
  }
  return address::resolve(found->host, found->port);
}

// Loads in slices of 100 ms, so that there are results to print after Ctrl-C.
load_sample load_for(load_generator& client, std::chrono::milliseconds length, bool& stopped) {
  constexpr auto slice = 100ms;
  load_sample total;
  double busy_seconds = 0;
  try {
    for (auto left = length; left > 0ms; left -= slice) {
      const auto sample = client.run(std::min(left, slice)).front();
      total.seconds += sample.seconds;
      total.messages += sample.messages;
      total.latency_ns.merge(sample.latency_ns);
      busy_seconds += sample.client_utilisation * sample.seconds;
    }
    client.finish();
  } catch (const interrupted&) {
    stopped = true;
  }
  if (total.seconds > 0) total.client_utilisation = busy_seconds / total.seconds;
  return total;
}

void print_results(const address& where, const scenario& shape, const std::string& prefix,
                   const load_sample& total) {
  const auto us = [&](double percent) { return total.latency_ns.percentile(percent) / 1000; };
  const auto rate = total.seconds > 0 ? static_cast<double>(total.messages) / total.seconds : 0;
  fmt::print("{}   {}   closed loop   {:.1f} s\n", where.text, shape.text(), total.seconds);
  fmt::print("throughput   {:.0f} messages/s, {:.1f} MB/s each way\n", rate,
             rate * shape.message_bytes / 1e6);
  fmt::print("latency      p50 {:.1f} us   p90 {:.1f}   p99 {:.1f}   p99.9 {:.1f}   max {:.1f}\n",
             us(50), us(90), us(99), us(99.9), static_cast<double>(total.latency_ns.max()) / 1000);
  fmt::print("client       {:.0f} % of a core{}\n", total.client_utilisation * 100,
             total.client_utilisation >= 0.95 ? ": the client is the limit, not the server" : "");
  fmt::print("payload      ok: {} replies, every byte compared; {}\n", total.messages,
             prefix.empty() ? "no prefix" : fmt::format("prefix {:?}", prefix));
}

}  // namespace

int load_command(const arguments& given) {
  scenario shape{.connections = 64, .message_bytes = 512, .depth = 1};
  std::string duration = "5s";
  options wanted{"echobench load", "HOST:PORT",
                 "Loads any echo server and compares every byte of every reply. A prefix before "
                 "each reply is found by itself."};
  wanted.add("connections", shape.connections, "N", "open connections");
  wanted.add("size", shape.message_bytes, "BYTES", "of a message, 16 to 1048576");
  wanted.add("depth", shape.depth, "N", "messages outstanding on each connection");
  wanted.add("duration", duration, "TIME", "as in 500ms, 5s, 2m");
  wanted.explain("The server runs already, here or elsewhere, such as fibers_echo on port 25000.");
  wanted.example("load localhost:25000");
  wanted.example("load localhost:25000 --size 100 --duration 500ms");
  const auto rest = wanted.parse(given);
  expect_possible(shape);
  const auto length = parse_duration("duration", duration);
  const auto where = parse_target(rest);

  const auto& stop = catch_interruption();
  raise_descriptor_limit();
  load_generator client{shape, 1, stop};
  const auto server = client.add_server(where.text, where);
  client.connect(server, shape.connections);
  client.start({server});
  bool stopped = false;
  const auto total = load_for(client, length, stopped);
  print_results(where, shape, client.prefix(server), total);
  return stopped ? exit_interrupted : 0;
}

}  // namespace bench
