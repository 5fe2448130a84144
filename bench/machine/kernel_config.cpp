#include <bench/machine/kernel_config.hpp>

#include <sys/utsname.h>

#include <bench/text/file.hpp>
#include <exception>

namespace bench {

kernel_config::kernel_config(const std::filesystem::path& root) {
  utsname kernel{};
  uname(&kernel);
  for (const auto& file :
       {root / "proc/config.gz", root / "boot" / ("config-" + std::string{kernel.release})}) {
    try {
      if (!std::filesystem::exists(file)) continue;
      text_ = '\n' + file_text(file);
      return;
    } catch (const std::exception&) {  // nor may a user always look into /boot
      continue;
    }
  }
}

// A line is "CONFIG_HZ=250", or "# CONFIG_HZ_100 is not set".
std::optional<std::string> kernel_config::value(std::string_view option) const {
  const auto line = '\n' + std::string{option} + '=';
  const auto at = text_.find(line);
  if (at == std::string::npos) return std::nullopt;
  const auto begin = at + line.size();
  return text_.substr(begin, text_.find('\n', begin) - begin);
}

}  // namespace bench
