#include <bench/report/page/packed.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

namespace bench {
namespace {

// Only ASCII is shared, because the script that unpacks counts other characters differently.
std::size_t shared_start(std::string_view one, std::string_view other) {
  std::size_t length = 0;
  while (length < std::min(one.size(), other.size()) && one[length] == other[length] &&
         static_cast<unsigned char>(one[length]) < 128)
    ++length;
  return length;
}

class key_lists {
 public:
  boost::json::value pack(const boost::json::value& whole) {
    if (const auto* object = whole.if_object()) return pack_object(*object);
    if (const auto* array = whole.if_array()) return pack_array(*array);
    return whole;
  }
  const boost::json::array& all() const { return all_; }

 private:
  boost::json::array pack_object(const boost::json::object& object) {
    boost::json::array keys, packed;
    for (const auto& [key, value] : object) keys.emplace_back(key);
    const auto [place, is_new] = places_.emplace(boost::json::serialize(keys), all_.size());
    if (is_new) all_.push_back(std::move(keys));
    packed.emplace_back(place->second);
    for (const auto& [key, value] : object) packed.push_back(pack(value));
    return packed;
  }

  boost::json::array pack_array(const boost::json::array& array) {
    boost::json::array packed{-1};
    for (const auto& each : array) packed.push_back(pack(each));
    return packed;
  }

  std::map<std::string, std::size_t> places_;
  boost::json::array all_;
};

}  // namespace

std::string packed_lines(std::string_view text) {
  std::string packed;
  std::string_view last;
  for (std::size_t at = 0; at <= text.size();) {
    const auto line = text.substr(at, std::min(text.find('\n', at), text.size()) - at);
    const auto shared = shared_start(line, last);
    packed += fmt::format("{}{} {}", at == 0 ? "" : "\n", shared, line.substr(shared));
    last = line;
    at += line.size() + 1;
  }
  return packed;
}

boost::json::object packed_json(const boost::json::value& whole) {
  key_lists lists;
  auto data = lists.pack(whole);
  return {{"keys", lists.all()}, {"data", std::move(data)}};
}

}  // namespace bench
