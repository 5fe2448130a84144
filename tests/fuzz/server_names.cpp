// Names of servers, and what --server and --target take: the first line of the input is a target,
// the second a command, the third a name.
#include <tests/fuzz/expect.hpp>
#include <tests/fuzz/targets.hpp>

#include <fmt/format.h>

#include <bench/contract/printable.hpp>
#include <bench/load/address.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/command_words.hpp>

namespace {

void check_host_and_port(const std::string& text) {
  const auto found = bench::host_and_port::parse(text);
  if (!found) return;
  fuzz::expect(found->port > 0, "a port is 0");
  const auto again = bench::host_and_port::parse(fmt::format("[{}]:{}", found->host, found->port));
  fuzz::expect(again && again->host == found->host && again->port == found->port,
               "an address is not read back");
}

void check_added(const std::string& target, const std::string& command) {
  std::vector<bench::server_info> added;
  const auto add = [&](bench::arguments commands, bench::arguments targets) {
    fuzz::accepts<bench::usage_error>(target + ' ' + command,
                                      [&] { added = bench::added_servers(commands, targets); });
  };
  add({}, {target});
  add({command}, {});
  add({command}, {target});
  for (const auto& each : added) {
    fuzz::expect(!each.name.empty(), "a server has no name");
    fuzz::expect_showable(each.name + each.target.value_or(""), "the name of a server");
    fuzz::expect(bench::find_server(each.name, added).command == each.command,
                 "a server is not found by its name");
    const auto again = each.target ? bench::added_servers({}, {each.name + '=' + *each.target})
                                   : bench::added_servers({each.name + '=' + each.command}, {});
    fuzz::expect(again[0].name == each.name && again[0].command == each.command &&
                     again[0].target == each.target,
                 "a server is not read back");
  }
}

void check_name(const std::string& name) {
  bench::server_info found;
  if (!fuzz::accepts<bench::usage_error>(name, [&] { found = bench::find_server(name); })) return;
  fuzz::expect(found.name == name && !found.command.empty(), "a bundled server has another name");
  fuzz::expect(bench::bundled_reactor(name) == bench::reactor_of(name),
               "a bundled server has no reactor");
  fuzz::expect(bench::find_server(bench::without_injection(name)).name.size() <= name.size(),
               "a bundled server without its delay is none");
  fuzz::expect(bench::injected_ns(name).value_or(1) > 0, "a delay is no time");
  if (const auto floor = bench::floor_of(name, "asio-callback/epoll"))
    fuzz::expect(bench::find_server(*floor).name == *floor, "there is no such floor");
}

void check_words(const std::string& command) {
  std::vector<std::string> words;
  if (!fuzz::accepts<bench::usage_error>(command, [&] { words = bench::split_words(command); }))
    return;
  fuzz::expect(bench::split_words(bench::join_words(words)) == words,
               "the words of a command are not read back");
}

}  // namespace

void fuzz::server_names(std::string_view input) {
  auto lines = bench::split(std::string{input}, '\n');
  lines.resize(3);
  check_host_and_port(lines[0]);
  check_added(lines[0], lines[1]);
  check_words(lines[1]);
  check_name(lines[2]);
}
