// standard_descriptors: a program that was started without standard input, output or error.
//
//     int main() {
//       bench::open_missing_descriptors();   // before anything opens a descriptor
#pragma once

#include <fcntl.h>
#include <unistd.h>

namespace bench {

// Opens /dev/null in place of each standard descriptor that is closed. Otherwise the next file or
// socket would get its number, and messages would be written into that. open() returns the lowest
// free number, so the loop ends when 0, 1 and 2 are open.
inline void open_missing_descriptors() {
  int opened = -1;
  do {
    opened = ::open("/dev/null", O_RDWR);
  } while (opened >= 0 && opened <= STDERR_FILENO);
  if (opened >= 0) ::close(opened);
}

}  // namespace bench
