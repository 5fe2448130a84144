// file_text() reads plain and compressed files. replace_file() replaces a file atomically.
#include <bench/text/file.hpp>

#include <zlib.h>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <tests/scratch_folder.hpp>

namespace {

namespace fs = std::filesystem;

const std::string any_bytes{"one\r\n\0two\n\xff", 11};

void compress_into(const fs::path& file, const std::string& text) {
  const auto out = gzopen(file.c_str(), "wb");
  gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
  BOOST_REQUIRE(gzclose(out) == Z_OK);
}

std::string refusal_of(const fs::path& file) {
  try {
    bench::file_text(file);
    return {};
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_file_is_read_as_it_is_whatever_bytes_it_holds) {
  const scratch_folder folder;
  const auto long_text = std::string(200'000, 'x') + "end";
  for (const auto& text : {std::string{}, any_bytes, long_text})
    BOOST_TEST((bench::file_text(folder.write("plain", text)) == text));
}

BOOST_AUTO_TEST_CASE(a_compressed_file_is_read_as_what_was_compressed) {
  const scratch_folder folder;
  const auto long_text = std::string(200'000, 'x') + "end";
  for (const auto& text : {std::string{}, any_bytes, long_text}) {
    compress_into(folder / "packed.gz", text);
    BOOST_TEST((bench::file_text(folder / "packed.gz") == text));
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_named_with_the_reason) {
  const scratch_folder folder;
  const auto file = folder / "packed.gz";
  BOOST_TEST(refusal_of(file) == file.string() + ": No such file or directory");
  BOOST_TEST(refusal_of(folder.path()) == folder.path().string() + ": is a folder");
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += std::to_string(i * i);
  compress_into(file, text);
  const auto whole = folder.read("packed.gz");
  folder.write("packed.gz", whole.substr(0, whole.size() / 2));
  BOOST_TEST(refusal_of(file) == file.string() + ": is cut short");
  auto broken = whole;
  broken[whole.size() / 2] = static_cast<char>(~broken[whole.size() / 2]);
  folder.write("packed.gz", broken);
  BOOST_TEST(refusal_of(file).starts_with(file.string() + ": "), refusal_of(file));
}

BOOST_AUTO_TEST_CASE(a_file_that_holds_more_than_any_run_is_refused) {
  const scratch_folder folder;
  const auto file = folder / "packed.gz";
  compress_into(file, std::string((std::size_t{256} << 20) + 1, ' '));
  BOOST_TEST(refusal_of(file) == file.string() + ": holds more than 256 MiB");
}

BOOST_AUTO_TEST_CASE(a_replaced_file_keeps_its_permissions_and_leaves_nothing_beside_it) {
  const scratch_folder folder;
  const auto file = folder.write("it", "old");
  const auto own = fs::perms::owner_read | fs::perms::owner_write;
  fs::permissions(file, own);
  bench::replace_file(file, any_bytes);
  BOOST_TEST((folder.read("it") == any_bytes));
  BOOST_TEST((fs::status(file).permissions() == own));
  bench::replace_file(folder / "new", "new");
  BOOST_TEST(folder.read("new") == "new");
  BOOST_TEST(std::distance(fs::directory_iterator{folder.path()}, {}) == 2);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_replaced_is_named_and_nothing_is_left) {
  const scratch_folder folder;
  fs::create_directories(folder / "taken" / "inside");
  const auto complains_of = [](const fs::path& file) {
    return [file](const std::runtime_error& error) {
      return std::string{error.what()}.starts_with("cannot write " + file.string());
    };
  };
  BOOST_CHECK_EXCEPTION(bench::replace_file(folder / "taken", "text"), std::runtime_error,
                        complains_of(folder / "taken"));
  BOOST_CHECK_EXCEPTION(bench::replace_file(folder / "none" / "it", "text"), std::runtime_error,
                        complains_of(folder / "none" / "it"));
  BOOST_TEST(std::distance(fs::directory_iterator{folder.path()}, {}) == 1);
}

BOOST_AUTO_TEST_CASE(what_a_symbolic_link_leads_to_is_replaced_and_not_the_link) {
  const scratch_folder folder;
  const auto target = folder.write("target", "old");
  std::filesystem::create_symlink(target, folder / "link");
  bench::replace_file(folder / "link", "new");
  BOOST_TEST(std::filesystem::is_symlink(folder / "link"));
  BOOST_TEST(folder.read("target") == "new");
}

BOOST_AUTO_TEST_CASE(a_device_is_written_to_and_not_replaced) {
  const scratch_folder folder;
  std::filesystem::create_symlink("/dev/full", folder / "full");
  BOOST_CHECK_EXCEPTION(bench::replace_file(folder / "full", "text"), std::runtime_error,
                        [](const std::runtime_error& error) {
                          return std::string{error.what()}.find("No space left") !=
                                 std::string::npos;
                        });
  BOOST_TEST(std::filesystem::is_character_file("/dev/full"));
  bench::replace_file("/dev/null", "text");
  BOOST_TEST(std::filesystem::is_character_file("/dev/null"));
}
