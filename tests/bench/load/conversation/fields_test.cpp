// A digest tells that every byte of 64 structures was read, and in their order.
#include <bench/contract/structures.hpp>
#include <bench/load/conversation/fields.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <string>
#include <string_view>

using bench::fields_conversation;
using bench::reply_position;
using bench::wrong_reply;

namespace {

std::string message(const fields_conversation& talk, std::uint32_t connection,
                    std::uint64_t sequence) {
  std::string bytes(talk.message_bytes(), '\0');
  talk.write(bytes.data(), connection, sequence);
  return bytes;
}

// As a server reads: field by field.
std::string answers_to(std::string_view stream) {
  bench::digests owed;
  std::string answers;
  const auto take = [&](void* into, std::size_t size) {
    BOOST_REQUIRE(stream.size() >= size);
    std::memcpy(into, stream.data(), size);
    stream.remove_prefix(size);
  };
  while (!stream.empty()) {
    bench::structure read;
    take(&read.kind, 1), take(&read.flags, 1), take(&read.port, 2), take(&read.id, 4);
    take(&read.time, 8), take(&read.value, 8);
    take(&read.name.length, 1), take(read.name.bytes.data(), read.name.length);
    take(&read.note.length, 1), take(read.note.bytes.data(), read.note.length);
    if (const auto answer = owed.after(read)) answers.append(answer->data(), answer->size());
  }
  return answers;
}

int check(fields_conversation& talk, std::string_view answers) {
  reply_position at;
  return talk.check(at, 3, answers);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_message_is_64_structures_and_each_has_a_name_of_its_own) {
  fields_conversation talk{1};
  BOOST_TEST(talk.message_bytes() == 4096U);
  BOOST_TEST((message(talk, 3, 0) != message(talk, 3, 16)));
  BOOST_TEST((message(talk, 3, 0) != message(talk, 19, 0)));
  const auto answers = answers_to(message(talk, 3, 0) + message(talk, 3, 1));
  BOOST_TEST(answers.size() == 16U);
}

BOOST_AUTO_TEST_CASE(the_digests_of_what_was_sent_are_right_in_pieces_of_any_size) {
  fields_conversation talk{7};
  std::string stream;
  for (std::uint64_t i = 0; i < 40; ++i) stream += message(talk, 3, i);
  const auto answers = answers_to(stream);
  for (std::size_t piece = 1; piece <= 20; ++piece) {
    reply_position at;
    int complete = 0;
    for (std::size_t i = 0; i < answers.size(); i += piece)
      complete += talk.check(at, 3, std::string_view{answers}.substr(i, piece));
    BOOST_TEST(complete == 40);
    BOOST_TEST(at.bytes_checked == answers.size());
  }
}

BOOST_AUTO_TEST_CASE(a_byte_that_was_lost_on_the_way_is_seen) {
  fields_conversation talk{7};
  const auto sent = message(talk, 3, 0);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto in_structure = i % bench::structure_bytes;
    if (in_structure >= 24) continue;  // the lengths of texts are bytes that have to be right
    auto spoilt = sent;
    spoilt[i] ^= 1;
    BOOST_CHECK_THROW(check(talk, answers_to(spoilt)), wrong_reply);
  }
}

BOOST_AUTO_TEST_CASE(structures_in_the_wrong_order_are_seen) {
  fields_conversation talk{7};
  const auto sent = message(talk, 3, 0);
  const auto part = [&](std::size_t i) {
    return sent.substr(i * bench::structure_bytes, bench::structure_bytes);
  };
  const auto swapped = part(0) + part(2) + part(1) + sent.substr(3 * bench::structure_bytes);
  BOOST_CHECK_THROW(check(talk, answers_to(swapped)), wrong_reply);
  BOOST_TEST(check(talk, answers_to(sent)) == 1);
  reply_position at;
  BOOST_CHECK_THROW(talk.check(at, 4, answers_to(sent)), wrong_reply);
}
