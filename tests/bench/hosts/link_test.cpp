// Texts arrive whole and in order, whatever their length, and an end that is gone is noticed.
#include <bench/hosts/link.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <thread>

#include <tests/scratch_folder.hpp>

using namespace std::chrono_literals;

namespace {

struct joined_links {
  joined_links() {
    int ends[2];
    BOOST_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    near.emplace(bench::descriptor{ends[0]});
    raw = ends[1];
    far.emplace(bench::descriptor{ends[1]});
  }

  std::optional<bench::link> near, far;
  int raw = -1;  // the socket of `far`
};

}  // namespace

BOOST_AUTO_TEST_SUITE(links)

BOOST_FIXTURE_TEST_CASE(a_text_of_any_length_arrives_whole, joined_links) {
  for (const std::size_t size : {0U, 1U, 65'535U, 65'536U, 65'537U, 1U << 20}) {
    std::string sent(size, '\0');
    for (std::size_t i = 0; i < size; ++i) sent[i] = static_cast<char>(i * 7);
    std::thread sender{[&] { near->send(sent); }};  // a long one has no place between the ends
    const auto received = far->receive(10s);
    sender.join();
    BOOST_REQUIRE(received.has_value());
    BOOST_TEST((*received == sent), size);
  }
}

BOOST_FIXTURE_TEST_CASE(texts_that_arrive_together_stay_apart, joined_links) {
  for (const char* each : {"one", "", "three"}) near->send(each);
  BOOST_TEST(far->receive(1s).value() == "one");
  BOOST_TEST(far->receive(1s).value().empty());
  BOOST_TEST(far->receive(1s).value() == "three");
  BOOST_TEST(!far->receive(0ms));
}

BOOST_FIXTURE_TEST_CASE(a_text_that_has_not_come_whole_is_waited_for, joined_links) {
  const std::uint64_t length = 4;
  send(raw, &length, 5, 0);  // a part of the length
  BOOST_TEST(!near->receive(10ms));
  send(raw, reinterpret_cast<const char*>(&length) + 5, 3, 0);
  send(raw, "ab", 2, 0);
  BOOST_TEST(!near->receive(10ms));
  send(raw, "cd", 2, 0);
  BOOST_TEST(near->receive(1s).value() == "abcd");
}

BOOST_FIXTURE_TEST_CASE(an_end_that_is_gone_breaks_both_directions, joined_links) {
  far->send("last");
  far.reset();
  BOOST_TEST(near->receive(1s).value() == "last");
  BOOST_CHECK_THROW(near->receive(1s), bench::link_broken);
  BOOST_CHECK_THROW(near->receive(-1ms), bench::link_broken);
  BOOST_CHECK_THROW(near->send("x"), bench::link_broken);
}

BOOST_AUTO_TEST_CASE(a_listener_is_for_its_user_alone_and_leaves_nothing) {
  std::string folder;
  {
    bench::link_listener meeting;
    folder = meeting.folder();
    struct stat found {};
    BOOST_REQUIRE(stat(folder.c_str(), &found) == 0);
    BOOST_TEST((found.st_mode & 0777) == 0700u);
    BOOST_TEST(!meeting.accept(0ms).has_value());
    auto near = bench::link::to(meeting.path());
    auto far = meeting.accept(1s);
    BOOST_REQUIRE(far.has_value());
    near.send("hello");
    BOOST_TEST(far->receive(1s).value() == "hello");
  }
  BOOST_TEST(!std::filesystem::exists(folder));
}

BOOST_AUTO_TEST_CASE(nobody_listening_is_a_broken_link) {
  const scratch_folder folder;
  BOOST_CHECK_THROW(bench::link::to(folder / "nobody"), bench::link_broken);
}

BOOST_AUTO_TEST_SUITE_END()
