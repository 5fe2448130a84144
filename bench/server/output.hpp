// output: server_output, what a server prints, in a memory file on which it never has to wait.
//
//     server_output printed{"output"};
//     spawn(words, cpu, printed.descriptor(), ...);
//     while (const auto line = printed.next_line()) ...
//     printed.last_line();
#pragma once

#include <bench/contract/descriptor.hpp>
#include <optional>
#include <string>

namespace bench {

class server_output {
 public:
  // `name` is what /proc shows. Throws run_invalid if the system gives no memory file.
  explicit server_output(const char* name);

  int descriptor() const { return file_.get(); }

  // The next complete line without its line feed; nullopt: none has been printed yet.
  std::optional<std::string> next_line();

  // The last line that is not empty, or the end of it if it is long. Empty: there is none.
  std::string last_line() const;

  // Frees the memory of most that was printed if that is more than 2 MiB. The first and the last
  // bytes stay.
  void discard_old() const;

 private:
  bench::descriptor file_;
  std::size_t read_ = 0;  // bytes of the file that were read into unread_
  std::string unread_;    // may begin with lines that were returned already
  std::size_t begin_ = 0;
};

}  // namespace bench
