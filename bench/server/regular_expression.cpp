#include <bench/server/regular_expression.hpp>

#include <span>
#include <stdexcept>

namespace bench {

regular_expression::regular_expression(const std::string& pattern) {
  auto compiled = std::make_unique<regex_t>();
  const int error = regcomp(compiled.get(), pattern.c_str(), REG_EXTENDED);
  if (error != 0) {
    std::string reason(100, '\0');
    reason.resize(regerror(error, compiled.get(), reason.data(), reason.size()) - 1);
    throw std::invalid_argument{reason};
  }
  compiled_ = {compiled.release(), [](regex_t* each) {
                 regfree(each);
                 delete each;
               }};
}

// With REG_STARTEND, so that a zero byte does not end the text.
bool regular_expression::finds(const std::string& text, std::size_t groups,
                               regmatch_t* found) const {
  *found = {0, static_cast<regoff_t>(text.size())};
  return regexec(compiled_.get(), text.c_str(), groups, found, REG_STARTEND) == 0;
}

bool regular_expression::is_in(const std::string& text) const {
  regmatch_t whole;
  return finds(text, 0, &whole);
}

std::optional<std::vector<std::string>> regular_expression::parts_of(
    const std::string& text) const {
  std::vector<regmatch_t> found(compiled_->re_nsub + 1);
  const auto size_of = [](const regmatch_t& each) {
    return static_cast<std::size_t>(each.rm_eo - each.rm_so);
  };
  if (!finds(text, found.size(), found.data()) || size_of(found.front()) != text.size())
    return std::nullopt;
  std::vector<std::string> parts;
  for (const auto& each : std::span{found}.subspan(1))
    parts.push_back(
        each.rm_so < 0 ? "" : text.substr(static_cast<std::size_t>(each.rm_so), size_of(each)));
  return parts;
}

}  // namespace bench
