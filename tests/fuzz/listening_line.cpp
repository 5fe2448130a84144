// The listening line of a server: its pairs are read back, and it names an address or is refused.
#include <tests/fuzz/expect.hpp>
#include <tests/fuzz/targets.hpp>

#include <arpa/inet.h>
#include <sys/un.h>

#include <bench/server/listening_line.hpp>

namespace {

using pairs = std::map<std::string, std::string>;

std::string line_of(const pairs& announced) {
  std::string line = "listening ";
  for (const auto& [key, value] : announced) line += key + '=' + value + ' ';
  return line;
}

// Names are left out, because to resolve one asks the network.
bool is_numeric(const std::string& host) {
  in6_addr bytes{};
  return inet_pton(AF_INET, host.c_str(), &bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &bytes) == 1;
}

bool asks_nobody(const pairs& announced) {
  const auto host = announced.find("host");
  return host == announced.end() || host->second.empty() || is_numeric(host->second);
}

void expect_address(const bench::address& found, const pairs& announced) {
  fuzz::expect(found.length > sizeof(sa_family_t) && found.length <= sizeof found.storage,
               "an address has no length");
  fuzz::expect(!found.text.empty(), "an address has no text");
  if (found.storage.ss_family == AF_UNIX) {
    const auto& name = reinterpret_cast<const sockaddr_un&>(found.storage);
    fuzz::expect(announced.at("unix") == name.sun_path, "a path is not the one announced");
    return;
  }
  const auto again = bench::host_and_port::parse(found.text);
  fuzz::expect(again && std::to_string(again->port) ==
                            std::to_string(ntohs(
                                reinterpret_cast<const sockaddr_in&>(found.storage).sin_port)),
               "the text of an address is not read back");
}

}  // namespace

void fuzz::listening_line(std::string_view given) {
  const std::string input{given};
  const auto announced = bench::parse_listening_line(input);
  if (!announced) return;
  fuzz::expect(bench::parse_listening_line(line_of(*announced)) == announced,
               "the pairs of a line are not read back");
  if (!asks_nobody(*announced)) return;
  bench::address found;
  if (fuzz::accepts<bench::server_failed>(
          input, [&] { found = bench::announced_address("mine", *announced); }))
    expect_address(found, *announced);
}
