// remarks: the two groups of remarks that examine() returns, and helpers to write them.
#pragma once

#include <bench/doctor/doctor.hpp>
#include <fstream>

namespace bench {

// CPUs: how many there are, who else uses them, how fast and how steady they are.
std::vector<remark> processor_remarks(const std::filesystem::path& root,
                                      const kernel_answers& answers);

// Limits: what the kernel permits, and how much of it.
std::vector<remark> limit_remarks(const std::filesystem::path& root, const kernel_answers& answers);

inline remark ok(std::string about, std::string read, std::string means) {
  return {health::ok, std::move(about), std::move(read), std::move(means), {}};
}

// The number that a file begins with; nullopt: there is no such file or no number.
template <class Number>
std::optional<Number> number_in(const std::filesystem::path& file) {
  std::ifstream in{file};
  Number number{};
  if (!(in >> number)) return std::nullopt;
  return number;
}

}  // namespace bench
