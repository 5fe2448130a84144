// doctor remarks: the two halves of what examine() says, and what both are written with.
#pragma once

#include <bench/doctor/doctor.hpp>
#include <fstream>

namespace bench {

// Processors: how many, whose, how fast and how steady.
std::vector<remark> processor_remarks(const std::filesystem::path& root,
                                      const kernel_answers& answers);

// Limits: what the kernel permits, and how much of it.
std::vector<remark> limit_remarks(const std::filesystem::path& root, const kernel_answers& answers);

inline remark ok(std::string about, std::string read, std::string means) {
  return {health::ok, std::move(about), std::move(read), std::move(means), {}};
}

// What a file begins with; absent where it is none or there is no such file.
template <class Number>
std::optional<Number> number_in(const std::filesystem::path& file) {
  std::ifstream in{file};
  Number number{};
  return in >> number ? std::optional{number} : std::nullopt;
}

}  // namespace bench
