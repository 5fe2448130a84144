// report.json as compare reads it: it is refused, or it is read back as the same report, and it can
// be compared and written in every form.
#include <tests/fuzz/every_form.hpp>
#include <tests/fuzz/expect.hpp>
#include <tests/fuzz/memory_file.hpp>
#include <tests/fuzz/targets.hpp>

#include <bench/compare/compare.hpp>
#include <bench/report/json.hpp>
#include <tests/scratch_folder.hpp>

#include <optional>

namespace {

std::optional<bench::report_contents> read_report(const fuzz::memory_file& file,
                                                  std::string_view input) {
  std::optional<bench::report_contents> report;
  fuzz::accepts<bench::unreadable_run>(input,
                                       [&] { report = bench::read_json_report(file.path()); });
  return report;
}

// compare tells a report from a run by the name of the file.
std::filesystem::path named_report(const fuzz::memory_file& file) {
  static const scratch_folder folder;
  const auto path = folder / "report.json";
  if (!std::filesystem::is_symlink(path)) std::filesystem::create_symlink(file.path(), path);
  return path;
}

}  // namespace

void fuzz::report_file(std::string_view input) {
  static const fuzz::memory_file file;
  file.hold(input);
  const auto report = read_report(file, input);
  if (!report) return;
  const auto path = named_report(file);
  fuzz::accepts<bench::nothing_to_compare>(input, [&] {
    fuzz::expect_forms(bench::compare_runs({path, path}, 0.03));
  });

  const auto again = [&](const std::string& text) {
    file.hold(text);
    const auto found = bench::read_json_report(file.path());
    return bench::json_report_line(found.header, found.found);
  };
  const auto first = bench::json_report_line(report->header, report->found);
  const auto second = again(first);
  fuzz::expect_settled(first, second, again(second), "a report");
}
