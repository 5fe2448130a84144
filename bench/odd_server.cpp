// odd_server MODE [PORT]: a program that listens and then does not do what an echo server does.
//
//     wrong   changes one byte of every thousandth reply
//     fixed   answers the same text whatever it is sent
//     short   leaves out the last byte of every reply after the first hundred
//     silent  listens and never answers
//     dies    answers a thousand times and exits with status 7
//     honest  echoes without a prefix
#include <bench/odd_server.hpp>

#include <cstdio>
#include <cstdlib>

namespace {

odd_behaviour behaviour_of(std::string_view mode) {
  static int replies = 0;
  odd_behaviour behaviour;
  if (mode == "wrong") {
    behaviour.reply = [](std::string_view got) {
      std::string reply{got};
      if (++replies % 1000 == 0) reply[reply.size() / 2] ^= 1;
      return std::string{"GOT:"}.append(reply);
    };
  } else if (mode == "fixed") {
    behaviour.reply = [](std::string_view) { return std::string{"GOT:hello\n"}; };
  } else if (mode == "short") {
    behaviour.reply = [](std::string_view got) {
      if (++replies > 100) got.remove_suffix(1);
      return std::string{"GOT:"}.append(got);
    };
  } else if (mode == "silent") {
    behaviour.reply = [](std::string_view) { return std::string{}; };
  } else if (mode == "dies") {
    behaviour.reply = [](std::string_view got) {
      if (++replies <= 1000) return std::string{got};
      std::fputs("out of patience\n", stderr);
      std::_Exit(7);
    };
  }
  return behaviour;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "honest";
  const auto port = static_cast<std::uint16_t>(argc > 2 ? std::atoi(argv[2]) : 0);
  const odd_server server{behaviour_of(mode), port};
  std::printf("listening host=127.0.0.1 port=%d server=odd io=poll threads=1\n", server.port());
  std::fflush(stdout);
  pause();
}
