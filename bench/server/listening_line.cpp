#include <bench/server/listening_line.hpp>

#include <fmt/format.h>

#include <bench/text/failure.hpp>
#include <sstream>

namespace bench {

std::optional<std::map<std::string, std::string>> parse_listening_line(const std::string& line) {
  if (!line.starts_with("listening ")) return std::nullopt;
  std::map<std::string, std::string> announced;
  std::istringstream words{line};
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    if (equals != std::string::npos) announced[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return announced;
}

address announced_address(const std::string& server,
                          const std::map<std::string, std::string>& announced) {
  const auto value_of = [&](const std::string& key) {
    const auto found = announced.find(key);
    return found == announced.end() ? std::string{} : found->second;
  };
  if (announced.contains("unix")) return address::on_path(value_of("unix"));
  const auto port = parse_port(value_of("port"));
  if (!port) {
    throw server_failed(fmt::format("{} printed a listening line without its port", server));
  }
  const auto host = value_of("host");
  if (host.empty() || host == "0.0.0.0") return address::resolve("127.0.0.1", *port);
  return address::resolve(host == "::" ? "::1" : host, *port);
}

}  // namespace bench
