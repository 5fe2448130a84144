// packed: the data of the page without what it repeats, for charts/packed.js to unpack.
//
//     packed_lines("c1/64,a,1\nc1/64,b,2")          // "0 c1/64,a,1\n6 b,2"
//     packed_json({{"x", 1}, {"y", {2, 3}}})        // {"keys":[["x","y"]],"data":[0,1,[-1,2,3]]}
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace bench {

// Of each line: how many characters it shares with the line before it, a space, and the others.
std::string packed_lines(std::string_view text);

// The keys of each kind of object once. An object becomes the place of its keys in that list and
// its values; an array becomes -1 and its elements.
boost::json::object packed_json(const boost::json::value& whole);

}  // namespace bench
