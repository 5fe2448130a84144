// kernel_config: the options with which the running kernel was built.
//
//     const kernel_config config;
//     config.value("CONFIG_HZ")     // "250"
//
// Some kernels offer them in /proc/config.gz, and most distributions keep them in /boot.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

class kernel_config {
 public:
  explicit kernel_config(const std::filesystem::path& root = "/");

  // False: neither file is there, so nothing is known.
  bool is_known() const { return !text_.empty(); }

  // nullopt: not set, or not known.
  std::optional<std::string> value(std::string_view option) const;

 private:
  std::string text_;
};

}  // namespace bench
