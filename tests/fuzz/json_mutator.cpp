// How libFuzzer changes a file of JSON lines: mostly it changes, removes or repeats one value or
// one line, so that what comes out is still JSON. Other inputs are changed byte by byte.
#include <tests/fuzz/targets.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

namespace json = boost::json;
using random_number = std::minstd_rand;

std::size_t below(std::size_t limit, random_number& random) {
  return limit == 0 ? 0 : std::uniform_int_distribution<std::size_t>{0, limit - 1}(random);
}

std::string mutated(std::string text) {
  const auto size = text.size();
  text.resize(size + 64);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(text.data()), size, text.size()));
  return text;
}

void collect(json::value& value, std::vector<json::value*>& all) {
  all.push_back(&value);
  if (auto* array = value.if_array())
    for (auto& each : *array) collect(each, all);
  if (auto* object = value.if_object())
    for (auto& each : *object) collect(each.value(), all);
}

json::value remarkable(random_number& random) {
  const std::vector<json::value> values{nullptr,
                                        true,
                                        0,
                                        -1,
                                        1,
                                        2,
                                        1e308,
                                        -1e308,
                                        1e-308,
                                        5e-324,
                                        1e15,
                                        1e-9,
                                        0.5,
                                        INT32_MAX,
                                        INT32_MIN,
                                        INT64_MAX,
                                        INT64_MIN,
                                        UINT64_MAX,
                                        "",
                                        "<script>alert(1)</script>",
                                        "\x1B[31m",
                                        "a\nb",
                                        "`|`",
                                        "\\",
                                        "&lt;",
                                        "\"quoted\"",
                                        "=1+1",
                                        "fibers/epoll",
                                        "fibers/epoll/inject9ns",
                                        "c64/512",
                                        "c1/64/r50%",
                                        "duet",
                                        "exclusive",
                                        "open_loop",
                                        json::array{},
                                        json::object{}};
  return values[below(values.size(), random)];
}

void change(json::value& value, random_number& random) {
  if (auto* array = value.if_array(); array != nullptr && !array->empty()) {
    auto* const place = array->begin() + below(array->size(), random);
    if (random() % 2 == 0)
      array->erase(place);
    else
      array->push_back(json::value{*place});
  } else if (auto* object = value.if_object(); object != nullptr && !object->empty()) {
    object->erase(object->begin() + below(object->size(), random));
  } else if (auto* text = value.if_string(); text != nullptr && random() % 2 == 0) {
    *text = mutated(std::string{*text});
  } else if (auto* number = value.if_double(); number != nullptr && random() % 2 == 0) {
    *number *= std::uniform_real_distribution<double>{-1, 3}(random);
  } else {
    value = remarkable(random);
  }
}

// False: the line is no JSON.
bool change(std::string& line, random_number& random) {
  json::error_code error;
  auto value = json::parse(line, error);
  if (error) return false;
  std::vector<json::value*> all;
  collect(value, all);
  change(*all[below(all.size(), random)], random);
  line = json::serialize(value);
  return true;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    lines.emplace_back(line);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return lines;
}

// Empty: change the bytes instead.
std::string changed(std::string_view input, random_number& random) {
  auto lines = lines_of(input);
  if (lines.empty()) return {};
  const auto at = lines.begin() + static_cast<std::ptrdiff_t>(below(lines.size(), random));
  switch (random() % 8) {
    case 0:
      return {};
    case 1:
      lines.erase(at);
      break;
    case 2:
      lines.push_back(*at);
      break;
    default:
      if (!change(*at, random)) return {};
  }
  std::string text;
  for (const auto& each : lines) text += each + '\n';
  return text;
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  random_number random{seed};
  std::string text;
  if (fuzz::chosen().lines_of_json)
    text = changed({reinterpret_cast<const char*>(data), size}, random);
  if (text.empty() || text.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::memcpy(data, text.data(), text.size());
  return text.size();
}
