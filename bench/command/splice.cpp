#include <bench/command/splice.hpp>

#include <fmt/format.h>

#include <bench/report/document/splice.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/file.hpp>
#include <optional>
#include <stdexcept>

namespace bench {
namespace {

namespace fs = std::filesystem;

struct filled_document {
  std::string name;
  std::vector<place> places;
  spliced filled;
};

// The same path for docs/runs/default, ./docs/runs/default/ and the run.ndjson in it.
fs::path canonical_run(const fs::path& run) {
  auto path = fs::weakly_canonical(run);
  if (!path.has_filename()) path = path.parent_path();
  return path.filename().string().starts_with("run.ndjson") ? path.parent_path() : path;
}

std::string document_text(const std::string& name) try {
  return file_text(name);
} catch (const std::runtime_error& error) {
  throw usage_error(fmt::format("--splice {}", error.what()));
}

std::vector<filled_document> filled_documents(const fs::path& run, const excerpt_source& excerpt_of,
                                              const std::vector<std::string>& names) {
  const auto ours = canonical_run(run);
  std::vector<filled_document> all;
  for (const auto& name : names) {
    const auto text = document_text(name);
    const auto places = places_in(text, name);
    const auto fill = [&](const place& each) -> std::optional<std::string> {
      if (canonical_run(each.run) != ours) return std::nullopt;
      try {
        return excerpt_of(each.wanted);
      } catch (const std::invalid_argument& error) {
        throw std::invalid_argument{fmt::format("{}: {}", where_is(each, name), error.what())};
      }
    };
    all.push_back({name, places, splice(text, places, fill)});
  }
  return all;
}

}  // namespace

void splice_documents(const fs::path& run, const excerpt_source& excerpt_of,
                      const std::vector<std::string>& names) {
  for (const auto& [name, places, filled] : filled_documents(run, excerpt_of, names)) {
    // Writes to the target of a symbolic link, so that the link stays.
    if (!filled.changed.empty()) replace_file(fs::canonical(name), filled.text);
    fmt::print("{}: of {} places {} are of this run, {} changed\n", name, places.size(),
               filled.filled.size(), filled.changed.size());
  }
}

bool check_documents(const fs::path& run, const excerpt_source& excerpt_of,
                     const std::vector<std::string>& names) {
  bool same = true;
  const auto complain = [&](const std::string& name, const place& about, const char* why) {
    fmt::print("{}: {}\n", where_is(about, name), why);
    same = false;
  };
  for (const auto& [name, places, filled] : filled_documents(run, excerpt_of, names)) {
    for (const auto& each : filled.changed) complain(name, each, "holds something else");
    for (const auto& each : places)
      if (!fs::exists(each.run)) complain(name, each, "there is no such run");
  }
  return same;
}

}  // namespace bench
