// listening_line: what a server prints when it begins to listen.
//
//     listening host=127.0.0.1 port=4711 server=floor ...
#pragma once

#include <bench/load/address.hpp>
#include <map>
#include <optional>
#include <string>

namespace bench {

// The key=value pairs of the line. nullopt: it is no listening line.
std::optional<std::map<std::string, std::string>> parse_listening_line(const std::string& line);

// The address that a listening line announces. Throws server_failed if the line names no port.
address announced_address(const std::string& server,
                          const std::map<std::string, std::string>& announced);

}  // namespace bench
