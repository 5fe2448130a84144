// memory_file: a file in memory, for functions that read from a path.
//
//     const fuzz::memory_file file;
//     file.hold(text);
//     bench::read_run(file.path());
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bench/contract/descriptor.hpp>
#include <tests/fuzz/expect.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace fuzz {

class memory_file {
 public:
  void hold(std::string_view text) const {
    const bool emptied = ftruncate(file_.get(), 0) == 0;
    const auto written = pwrite(file_.get(), text.data(), text.size(), 0);
    expect(emptied && written == static_cast<ssize_t>(text.size()), "a file cannot be written");
  }

  // Opening it does not share the position of another reader.
  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(file_.get()); }

 private:
  bench::descriptor file_{memfd_create("input", MFD_CLOEXEC)};
};

}  // namespace fuzz
