#include <fmt/format.h>

#include <bench/duel/recording.hpp>
#include <bench/record/fields.hpp>
#include <bench/text/file.hpp>
#include <sstream>

namespace bench {

struct recording_header {
  int duel = 1;  // the format
  comparison servers;
  scenario load;
  double length_s = 0;
};

BOOST_DESCRIBE_STRUCT(recording_header, (), (duel, servers, load, length_s))
BOOST_DESCRIBE_STRUCT(disturbance, (), (foreign_cpu_share, steal_share, client_foreign_share))
BOOST_DESCRIBE_STRUCT(shown_slice, (), (timed, pss_kib))
BOOST_DESCRIBE_STRUCT(duel_event, (), (at_s, round_begins, slices, round_ends, load, note, key))

namespace {

constexpr double longest_s = 100'000;  // a duel lasts a day at most

std::string event_line(const duel_event& event) {
  boost::json::object line;
  const auto all = to_json(event);
  for (const auto& member : all.as_object())
    if (!member.value().is_null()) line[member.key()] = member.value();
  return json_text(line);
}

std::string header_line(const duel_recording& recording) {
  return json_text(to_json(recording_header{
      .servers = recording.servers, .load = recording.load, .length_s = recording.length_s}));
}

// Reads a recording line by line.
class recording_reader {
 public:
  explicit recording_reader(const std::filesystem::path& file) : file_{file.string()} {}

  duel_recording read() {
    std::istringstream in{contents()};
    for (std::string text; std::getline(in, text);) {
      ++line_;
      const bool is_complete = !in.eof();  // it ends in a newline
      take(text, is_complete);
    }
    if (line_ == 0) fail("is no recording of a duel: the file is empty");
    return std::move(found_);
  }

 private:
  std::string contents() const try {
    // Reading a pipe would wait for somebody who writes it.
    if (std::filesystem::exists(file_) && !std::filesystem::is_regular_file(file_))
      throw unreadable_run{file_ + ": is no regular file"};
    return file_text(file_);
  } catch (const std::runtime_error& error) {
    throw unreadable_run{error.what()};
  }

  void take(const std::string& text, bool is_complete) try {
    boost::json::error_code error;
    auto value = boost::json::parse(text, error);
    if (error && !is_complete && line_ > 1) return;
    if (error && line_ == 1) fail("is no recording of a duel: its first line is no JSON");
    if (error) fail("not JSON: " + error.message());
    make_printable(value);
    line_ == 1 ? take_header(value) : take_event(value);
  } catch (const malformed& error) {
    fail(error.what());
  }

  void take_header(const boost::json::value& value) {
    const auto* object = value.if_object();
    if (object == nullptr || !object->contains("duel"))
      throw malformed{"", "is no recording of a duel: its first line does not say \"duel\""};
    const auto header = from_json<recording_header>(value);
    if (header.duel != recording_header{}.duel)
      throw malformed{"duel", fmt::format("is {}, and this program reads {}", header.duel,
                                          recording_header{}.duel)};
    check_time(header.length_s, 0, "length_s");
    check_load(header.load);
    found_ = {header.servers, header.load, header.length_s, {}};
  }

  void take_event(const boost::json::value& value) {
    auto event = from_json<duel_event>(value);
    check_time(event.at_s, found_.events.empty() ? 0 : found_.events.back().at_s, "at_s");
    if (event.load) check_load(*event.load);
    for (const auto& each : event.slices.value_or(std::vector<shown_slice>{}))
      check_launch(each.timed.launch);
    if (event.key && event.key != " " && event.key != "?")
      throw malformed{"key", "is neither \" \" nor \"?\""};
    found_.events.push_back(std::move(event));
  }

  static void check_load(const scenario& load) {
    if (load.rate_percent > 0 || load.churn || load.idle_connections > 0)
      throw malformed{"load", fmt::format("is \"{}\", which no duel has", load.text())};
  }

  static void check_time(double seconds, double least, const char* where) {
    if (seconds < least || seconds > longest_s)
      throw malformed{where, fmt::format("is {}, and not {} to {}", seconds, least, longest_s)};
  }

  void check_launch(int launch) const {
    const int last = found_.servers.floor ? floor_launch : contender_launch;
    if (launch < base_launch || launch > last)
      throw malformed{"slices", fmt::format("has launch {}, and not 0 to {}", launch, last)};
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw unreadable_run{fmt::format("{}:{}: {}", file_, std::max(line_, 1), what)};
  }

  std::string file_;
  int line_ = 0;
  duel_recording found_;
};

}  // namespace

duel_recorder::duel_recorder(const std::filesystem::path& file, const duel& match)
    : file_{journal::begin(absolute(file), {header_line({match.score().next_round().comparison,
                                                         match.score().scenario,
                                                         match.length.count(),
                                                         {}})})} {}

void duel_recorder::append(const duel_event& event) {
  file_.append(event_line(event));
}

std::string recording_text(const duel_recording& recording) {
  auto text = header_line(recording) + '\n';
  for (const auto& each : recording.events) text += event_line(each) + '\n';
  return text;
}

duel_recording read_recording(const std::filesystem::path& file) {
  return recording_reader{file}.read();
}

}  // namespace bench
