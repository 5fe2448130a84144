// How much there is of a server: counted here by other means than there.
#include <bench/server/catalogue.hpp>
#include <bench/server/size.hpp>

#define BOOST_TEST_MODULE server_size
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <tests/scratch_folder.hpp>

namespace {

int lines_to_read(const std::string& file) {
  std::ifstream in{std::filesystem::path{PROJECT_FOLDER} / file};
  BOOST_REQUIRE(in.good());
  int count = 0;
  for (std::string line, word; std::getline(in, line);) {
    std::istringstream words{line};
    if (words >> word && !word.starts_with("//")) ++count;
  }
  return count;
}

const std::string this_program = std::filesystem::read_symlink("/proc/self/exe").string();

// "section size addr" is what `size -A -d` prints.
std::int64_t size_of_text(const std::string& program) {
  std::int64_t bytes = -1;
  auto* out = popen(fmt::format("size -A -d '{}'", program).c_str(), "r");
  BOOST_REQUIRE(out);
  char line[300];
  while (std::fgets(line, sizeof line, out)) {
    std::istringstream words{line};
    std::string section;
    std::int64_t size = 0;
    if (words >> section >> size && section == ".text") bytes = size;
  }
  pclose(out);
  return bytes;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_lines_of_every_bundled_server_are_those_of_its_files) {
  for (const auto& server : bench::bundled_servers()) {
    const auto source = bench::source_of(server.name);
    BOOST_REQUIRE(source.has_value());
    int counted = 0;
    for (const auto& file : source->files) counted += lines_to_read(file);
    BOOST_TEST(source->lines == counted, server.name);
    BOOST_TEST(counted > 100);
  }
}

BOOST_AUTO_TEST_CASE(how_a_server_is_started_does_not_change_what_is_read) {
  BOOST_CHECK(bench::source_of("fibers/epoll/t2")->files ==
              bench::source_of("fibers/epoll")->files);
  BOOST_CHECK(bench::source_of("floor/io_uring/t2")->files ==
              bench::source_of("floor/io_uring")->files);
  BOOST_TEST(bench::source_of("floor/io_uring")->files[1] == "bench/floor/uring.hpp");
  BOOST_TEST(bench::source_of("floor/select")->files[1] == "bench/floor/loop.hpp");
  BOOST_TEST(!bench::source_of("mine"));
  BOOST_TEST(!bench::source_of("mine/epoll"));
}

BOOST_AUTO_TEST_CASE(the_code_of_a_program_is_its_text_stripped_or_not) {
  const auto bytes = bench::code_bytes(fmt::format("'{}' --quiet", this_program));
  BOOST_REQUIRE(bytes.has_value());
  BOOST_TEST(*bytes == size_of_text(this_program));
  const scratch_folder folder;
  const auto copy = (folder / "copy").string();
  BOOST_REQUIRE(std::system(fmt::format("strip -o '{}' '{}'", copy, this_program).c_str()) == 0);
  BOOST_TEST(bench::code_bytes(copy).value_or(-1) == *bytes);
}

BOOST_AUTO_TEST_CASE(what_is_no_program_or_half_of_one_has_no_size) {
  const scratch_folder folder;
  std::ifstream whole{this_program, std::ios::binary};
  std::string beginning(5000, ' ');
  whole.read(beginning.data(), 5000);
  BOOST_TEST(!bench::code_bytes((folder / "absent").string()));
  BOOST_TEST(!bench::code_bytes(folder.write("script", "#!/bin/sh\n").string()));
  BOOST_TEST(!bench::code_bytes(folder.write("half", beginning).string()));
  BOOST_TEST(!bench::code_bytes(folder.write("tiny", "\177ELF").string()));
  BOOST_TEST(!bench::code_bytes(""));
}
