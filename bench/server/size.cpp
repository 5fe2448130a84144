#include <bench/server/size.hpp>

#include <elf.h>

#include <bench/server/source_lines.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/options.hpp>
#include <cstring>
#include <fstream>
#include <vector>

namespace bench {
namespace {

// One of the file's structures; absent where the file ends before it does.
template <class Structure>
std::optional<Structure> structure_at(std::ifstream& file, std::uint64_t where) {
  Structure found{};
  file.seekg(static_cast<std::streamoff>(where));
  if (!file.read(reinterpret_cast<char*>(&found), sizeof found)) return std::nullopt;
  return found;
}

std::optional<Elf64_Ehdr> elf_header(std::ifstream& file) {
  const auto header = structure_at<Elf64_Ehdr>(file, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return std::nullopt;
  if (header->e_ident[EI_CLASS] != ELFCLASS64) return std::nullopt;
  return header;
}

std::string name_at(std::ifstream& file, std::uint64_t where) {
  std::string name;
  file.seekg(static_cast<std::streamoff>(where));
  std::getline(file, name, '\0');
  return name;
}

}  // namespace

std::optional<std::int64_t> code_bytes(const std::string& command) {
  const auto words = split_words(command);
  if (words.empty()) return std::nullopt;
  std::ifstream file{find_program(words.front()), std::ios::binary};
  const auto header = elf_header(file);
  if (!header) return std::nullopt;
  const auto section_at = [&](unsigned number) {
    return structure_at<Elf64_Shdr>(file, header->e_shoff + number * sizeof(Elf64_Shdr));
  };
  const auto names = section_at(header->e_shstrndx);
  for (unsigned number = 0; names && number < header->e_shnum; ++number)
    if (const auto section = section_at(number);
        section && name_at(file, names->sh_offset + section->sh_name) == ".text")
      return static_cast<std::int64_t>(section->sh_size);
  return std::nullopt;
}

std::optional<source_size> source_of(const std::string& name) {
  const auto slash = name.find('/');
  const auto who = name.substr(0, slash);
  const bool on_rings =
      slash != std::string::npos && name.substr(slash + 1).starts_with("io_uring");
  for (const auto& each : source_lines::counts)
    if (each.who == who || each.who == who + (on_rings ? "/io_uring" : "/readiness"))
      return source_size{each.lines, split(std::string{each.files}, ' ')};
  return std::nullopt;
}

}  // namespace bench
