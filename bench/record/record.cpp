// run.ndjson: one JSON object per line, with its kind as "record", appended while a run goes on.
#include <bench/record/record.hpp>

#include <fmt/format.h>

#include <array>
#include <bench/contract/printable.hpp>
#include <bench/record/fields.hpp>
#include <bench/statistics/hdr_encoding.hpp>
#include <bench/text/file.hpp>
#include <set>
#include <sstream>
#include <tuple>
#include <type_traits>

namespace bench {
namespace {

namespace json = boost::json;

constexpr int known_format = 1;

// In the order of the alternatives of `any_caveat`.
constexpr std::array<std::string_view, std::variant_size_v<any_caveat>> caveat_names{
    "client_saturated",    "backend_mismatch",  "blocks_correlated",   "debug_build",
    "threads_mixed",       "one_cpu",           "not_pinned",          "noisy_machine",
    "no_control",          "run_incomplete",    "empty_slices",        "load_saturated",
    "descriptors_missing", "server_missing",    "run_resumed",         "run_void",
    "calls_not_counted",   "time_stolen",       "clock_follows_load",  "noise_grade_d",
    "not_started_here",    "processes_changed", "unlike_reactors",     "client_disturbed",
    "memory_cut_short",    "cpu_elsewhere",     "cost_missing",        "replies_delayed",
    "control_misread",     "host_differs",      "generator_saturated", "start_skewed",
    "host_left_out",       "servers_elsewhere"};

std::string line_of(std::string_view kind, const json::value& value) {
  json::object line{{"record", kind}};
  for (const auto& member : value.as_object()) line[member.key()] = member.value();
  return json_text(line);
}

// Reads run.ndjson line by line into a run_record.
class reader {
 public:
  explicit reader(const std::filesystem::path& file) : file_{file.string()} {}

  run_record read() {
    std::istringstream in{contents()};
    for (std::string text; std::getline(in, text);) {
      ++line_;
      const bool complete = !in.eof();  // a line is complete if it ends in a newline
      take(text, complete);
    }
    if (!have_header_) fail("no header: this is no run, or it ended before it began");
    return std::move(record_);
  }

 private:
  std::string contents() const try {
    return file_text(file_);
  } catch (const std::runtime_error& error) {
    throw unreadable_run{error.what()};
  }

  void take(const std::string& text, bool complete) {
    json::error_code error;
    auto value = json::parse(text, error);
    if (error && !complete && have_header_) {
      record_.last_line_truncated = true;
      return;
    }
    if (error && line_ == 1) fail("not a run: its first line is no JSON");
    if (error) fail("not JSON: " + error.message());
    make_printable(value);
    place(value);
  }

  void place(const json::value& value) try {
    const auto kind = kind_of(value);
    if ((kind == "header") == have_header_)
      throw malformed{
          "", have_header_ ? "is a second header" : "is no header, and a run starts with one"};
    record_.end.reset();  // lines after an end belong to a resumed run
    if (kind == "header")
      take_header(value);
    else if (kind == "block")
      take_block(from_json<block>(value));
    else if (kind == "memory")
      record_.memory.push_back(from_json<memory_sample>(value));
    else if (kind == "kernel")
      record_.kernel.push_back(from_json<kernel_sample>(value));
    else if (kind == "caveat")
      record_.caveats_found.push_back(from_json<caveat>(value));
    else if (kind == "end")
      record_.end = from_json<run_end>(value.at("how"), "how");
    else
      throw malformed{"record", fmt::format("is \"{}\", which is not known here", kind)};
  } catch (const malformed& error) {
    fail(error.what());
  } catch (const std::out_of_range&) {
    fail("how is missing");
  }

  // Throws if the block is there already: two runs that wrote to one file would count twice. Also
  // if the order has a slice of the floor, and no floor is named.
  void take_block(block measured) {
    const auto& [base, contender, floor] = measured.comparison;
    if (!floor && measured.order.find('F') != std::string::npos)
      throw malformed{"order", "has an F, but the comparison names no floor"};
    const bool is_new = blocks_
                            .emplace(measured.round, measured.kind, measured.control,
                                     measured.scenario.text(), base, contender, floor)
                            .second;
    if (!is_new) throw malformed{"", "is a block that was measured already"};
    record_.blocks.push_back(std::move(measured));
  }

  std::string kind_of(const json::value& value) const {
    const auto* object = value.if_object();
    const auto* kind = object ? object->if_contains("record") : nullptr;
    if (!kind || !kind->is_string())
      throw malformed{"", "is no line of a run: it does not say which record it is"};
    return std::string{kind->as_string()};
  }

  // Checks the format first, because the other members may differ in another format.
  void take_header(const json::value& value) {
    const auto* format = value.as_object().if_contains("format");
    const int number = format ? from_json<int>(*format, "format") : 0;
    if (number != known_format)
      throw malformed{"format",
                      fmt::format("is {}, and this program reads {}", number, known_format)};
    record_.header = from_json<run_header>(value);
    have_header_ = true;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw unreadable_run{fmt::format("{}:{}: {}", file_, line_, what)};
  }

  std::string file_;
  int line_ = 0;
  bool have_header_ = false;
  std::set<std::tuple<int, block_kind, bool, std::string, std::string, std::string,
                      std::optional<std::string>>>
      blocks_;  // what identifies each block that was read
  run_record record_;
};

}  // namespace

void make_printable(json::value& from_file) {
  if (auto* text = from_file.if_string()) *text = printable(*text);
  if (auto* array = from_file.if_array()) {
    for (auto& each : *array) make_printable(each);
  }
  auto* object = from_file.if_object();
  if (object == nullptr) return;
  json::object shown;
  for (auto& member : *object) {
    const std::string_view key = member.key();
    if (key != "command" && key != "command_line" && key != "prefix")
      make_printable(member.value());
    shown[printable(key)] = std::move(member.value());
  }
  *object = std::move(shown);
}

boost::json::value json_form<kept_histogram>::write(const kept_histogram& times) {
  if (!times) return nullptr;
  return to_json(hdr_encoded(*times));
}

kept_histogram json_form<kept_histogram>::read(const boost::json::value& value,
                                               const std::string& where) try {
  if (value.is_null()) return nullptr;
  return std::make_shared<const histogram>(hdr_decoded(from_json<std::string>(value, where)));
} catch (const std::invalid_argument& error) {
  throw malformed{where, std::string{"is no histogram: "} + error.what()};
}

boost::json::value json_form<caveat>::write(const caveat& found) {
  json::object object{{"caveat", caveat_names[found.index()]}};
  const auto members = std::visit([](const auto& each) { return to_json(each); }, found);
  for (const auto& member : members.as_object()) object[member.key()] = member.value();
  object["text"] = text_of(found);
  return object;
}

caveat json_form<caveat>::read(const boost::json::value& value, const std::string& where) {
  const auto* object = value.if_object();
  const auto* name = object ? object->if_contains("caveat") : nullptr;
  if (object && !name) name = object->if_contains("doubt");  // the member's name in older runs
  std::optional<caveat> found;
  boost::mp11::mp_for_each<boost::mp11::mp_iota_c<caveat_names.size()>>([&](auto index) {
    if (name && name->is_string() && std::string_view{name->as_string()} == caveat_names[index])
      found = from_json<std::variant_alternative_t<index, any_caveat>>(value, where);
  });
  if (!found) throw malformed{where.empty() ? "caveat" : where + ".caveat", "is not known here"};
  return *found;
}

std::string to_json_line(const run_header& header) {
  return line_of("header", to_json(header));
}
std::string to_json_line(const block& measured) {
  return line_of("block", to_json(measured));
}
std::string to_json_line(const memory_sample& sample) {
  return line_of("memory", to_json(sample));
}
std::string to_json_line(const kernel_sample& sample) {
  return line_of("kernel", to_json(sample));
}
std::string to_json_line(const caveat& found) {
  return line_of("caveat", to_json(found));
}
std::string to_json_line(run_end end) {
  return line_of("end", json::object{{"how", to_json(end)}});
}

std::vector<std::string> differences_between(const environment& before, const environment& after) {
  std::vector<std::string> found;
  boost::mp11::mp_for_each<members_of<environment>>([&](auto member) {
    const std::string_view name = member.name;
    const auto was = json_text(to_json(before.*member.pointer));
    const auto is = json_text(to_json(after.*member.pointer));
    const bool may_be_null = name == "server_cpu" || name == "client_cpu";
    const bool known = may_be_null || (was != "null" && is != "null");
    if (was != is && known && name != "commit")
      found.push_back(fmt::format("{}: {} -> {}", name, was, is));
  });
  return found;
}

run_record read_run(const std::filesystem::path& run_ndjson) {
  return reader{run_ndjson}.read();
}

run_name name_of(const std::filesystem::path& run_ndjson) try {
  const auto text = file_text(run_ndjson);
  const auto header = json::parse(std::string_view{text}.substr(0, text.find('\n')));
  const auto member = [&](std::string_view name) -> std::optional<std::string> {
    const auto* found = header.as_object().if_contains(name);
    if (found == nullptr || !found->is_string()) return std::nullopt;
    return std::string{found->get_string()};
  };
  return {member("started_utc").value_or(""), member("label")};
} catch (const std::exception&) {
  return {};
}

}  // namespace bench
