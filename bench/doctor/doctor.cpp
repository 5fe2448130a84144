#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bench/contract/build_info.hpp>
#include <bench/contract/version.hpp>
#include <bench/doctor/remarks.hpp>
#include <bench/text/wrapped.hpp>
#include <string_view>

namespace bench {
namespace {

namespace fs = std::filesystem;

remark build(const kernel_answers& answers) {
  const auto read = fmt::format("{} ({})", build_info::type, build_info::compiler);
  if (!answers.debug_build) return ok("build", read, "what a user would run");
  return {health::problem, "build", read + ", with assertions or a sanitizer",
          "its times mean nothing, and a run refuses it",
          "cmake --preset release && cmake --build --preset release"};
}

remark address_layout(const fs::path& root) {
  const auto read = number_in<int>(root / "proc/sys/kernel/randomize_va_space");
  if (!read) return ok("addresses", "not told", "nothing is known of them");
  if (*read > 0)
    return ok("addresses", "random", "each launch has others, so no lucky layout decides");
  return {health::advice, "addresses", "the same at each launch",
          "a lucky layout is measured in every block, and looks like a result",
          "sysctl -w kernel.randomize_va_space=2"};
}

remark boost() {
  return ok("Boost", boost_version(), "both sides are built with it; compare runs with the same");
}

}  // namespace

std::vector<remark> examine(const fs::path& root, const kernel_answers& answers) {
  std::vector<remark> all{build(answers), boost()};
  for (auto& each : processor_remarks(root, answers)) all.push_back(std::move(each));
  all.push_back(address_layout(root));
  for (auto& each : limit_remarks(root, answers)) all.push_back(std::move(each));
  return all;
}

std::string text_of(const remark& said) {
  constexpr int width = 80;
  constexpr int words_at = 25;
  constexpr int remedy_at = 9;  // further left, so that most commands fit into a line
  constexpr std::array<std::string_view, 3> words{"ok", "advice", "problem"};
  const auto paragraph = [](const std::string& text, int indent) {
    return wrapped(in_pieces(text, width - indent), width, indent, indent);
  };
  auto text = fmt::format("{:<8} {:<15} {}", words[static_cast<std::size_t>(said.state)],
                          said.about, paragraph(said.read + ": " + said.means, words_at));
  if (!said.remedy.empty())
    text += std::string(remedy_at, ' ') + paragraph("To change it: " + said.remedy, remedy_at);
  return text;
}

std::string text_of(std::vector<remark> remarks) {
  std::stable_sort(remarks.begin(), remarks.end(),
                   [](const remark& one, const remark& two) { return one.state > two.state; });
  std::string text;
  for (const auto& each : remarks) text += text_of(each);
  return text;
}

bool measurable(const std::vector<remark>& remarks) {
  return std::none_of(remarks.begin(), remarks.end(),
                      [](const remark& each) { return each.state == health::problem; });
}

}  // namespace bench
