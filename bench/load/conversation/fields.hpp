// fields: messages of 64 structures (bench/contract/structures.hpp), and the check of their
// digests.
//
//     fields_conversation talk{seed};
//     talk.write(target, 3, 7);            // 4,096 bytes
#pragma once

#include <array>
#include <bench/load/conversation/conversation.hpp>
#include <string>

namespace bench {

class fields_conversation : public conversation {
 public:
  explicit fields_conversation(std::uint64_t seed);

  void write(char* target, std::uint32_t connection, std::uint64_t sequence) const override;
  int check(reply_position& at, std::uint32_t connection, std::string_view arrived) override;

 private:
  // All messages are one of these, but for the first structure: that names the message.
  struct sample {
    std::string bytes;
    std::uint64_t digest_of_rest = 0;  // of all structures but the first
  };
  const sample& sample_for(std::uint32_t connection, std::uint64_t sequence) const;
  std::array<char, 8> answer_to(std::uint32_t connection, std::uint64_t sequence) const;

  std::array<sample, 16> samples_;  // few enough that they stay in the cache
};

}  // namespace bench
