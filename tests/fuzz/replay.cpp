// The main() of fuzz_test where it was built without libFuzzer: it gives each file of the folders
// on the command line to the target, in the order of their names.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  fuzz::chosen();
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i)
    for (const auto& each : std::filesystem::directory_iterator{argv[i]})
      files.push_back(each.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::fprintf(stderr, "%s\n", file.c_str());  // if the target ends the process, it is the last
    std::ostringstream text;
    text << std::ifstream{file, std::ios::binary}.rdbuf();
    const auto input = std::move(text).str();
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  }
  return files.empty() ? 1 : 0;
}
