// listening line: what a server says of itself when it begins to listen.
//
//     listening host=127.0.0.1 port=4711 server=floor ...
#pragma once

#include <bench/load/address.hpp>
#include <map>
#include <optional>
#include <string>

namespace bench {

// Its key=value pairs, from all that a server has printed so far. Absent: no whole line of it.
std::optional<std::map<std::string, std::string>> find_listening_line(const std::string& printed);

// Where a server is reached that has announced this. Throws server_failed where it does not say.
address announced_address(const std::string& server,
                          const std::map<std::string, std::string>& announced);

}  // namespace bench
