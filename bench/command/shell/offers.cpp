#include <bench/command/shell/offers.hpp>

#include <algorithm>
#include <bench/command/commands.hpp>
#include <bench/measure/suites.hpp>
#include <bench/server/catalogue.hpp>

namespace bench {
namespace {

using word_list = std::vector<std::string>;

word_list suite_names() {
  word_list names;
  for (const auto& each : all_suites()) names.push_back(each.name);
  return names;
}

word_list server_names() {
  word_list names;
  for (const auto& each : bundled_servers()) names.push_back(each.name);
  return names;
}

word_list loads_of_suites() {
  word_list loads;
  for (const auto& suite : all_suites())
    for (const auto& part : suite.parts)
      loads.insert(loads.end(), part.scenarios.begin(), part.scenarios.end());
  std::sort(loads.begin(), loads.end());
  loads.erase(std::unique(loads.begin(), loads.end()), loads.end());
  return loads;
}

word_list names_of_proofs() {
  const auto names = proof_names();
  return {names.begin(), names.end()};
}

// "SERVER" of "[SERVER SERVER]", "LOAD" of "LOAD[,LOAD...]", "SERVER_CPU" of the unit of --pin.
std::string_view first_word(std::string_view unit) {
  if (unit.starts_with('[')) unit.remove_prefix(1);
  return unit.substr(0, unit.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_"));
}

}  // namespace

offers offers_for(std::string_view unit) {
  const auto word = first_word(unit);
  const bool commas = unit.find(',') != std::string_view::npos;
  const auto several = commas ? offer_kind::list : offer_kind::words;
  if (word == "SUITE") return {several, suite_names()};
  if (word == "SERVER") return {several, server_names()};
  if (word == "LOAD") return {several, loads_of_suites()};
  if (word == "PROOF") return {several, names_of_proofs()};
  if (word == "SHELL") return {several, {"bash", "zsh"}};
  if (word == "RUN" || word == "OLD") return {offer_kind::runs, {"last", "last~1", "last~2"}};
  if (word == "FILE") return {offer_kind::files, {}};
  if (word == "DIR" || word == "BUILD") return {offer_kind::folders, {}};
  return {};
}

}  // namespace bench
