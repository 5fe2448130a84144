#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bench/text/terminal.hpp>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>

namespace bench {

bool is_terminal(std::FILE* stream) {
  const char* kind = std::getenv("TERM");
  return isatty(fileno(stream)) != 0 && kind != nullptr && std::string_view{kind} != "dumb";
}

style style_of(std::FILE* stream) {
  style shown;
  shown.unicode = std::string_view{nl_langinfo(CODESET)} == "UTF-8";
  if (!is_terminal(stream)) return shown;
  const char* no_colour = std::getenv("NO_COLOR");
  shown.colour = no_colour == nullptr || *no_colour == '\0';
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    shown.width = size.ws_col;
    shown.height = size.ws_row;
  }
  return shown;
}

void flush(std::FILE* stream) {
  if (std::fflush(stream) != 0)
    throw std::system_error{errno, std::generic_category(), "cannot write"};
}

std::string bar_text(double share, int width, bool unicode) {
  share = std::clamp(share, 0.0, 1.0);
  std::string bar;
  int columns = 0;
  if (unicode) {
    static constexpr std::array eighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const int parts = static_cast<int>(share * width * 8);
    for (; columns < parts / 8; ++columns) bar += "█";
    if (parts % 8 != 0) {
      bar += eighths[static_cast<std::size_t>(parts % 8)];
      ++columns;
    }
  } else {
    for (; columns < static_cast<int>(share * width); ++columns) bar += '#';
  }
  bar.append(static_cast<std::size_t>(width - columns), ' ');
  return bar;
}

}  // namespace bench
