// server size: how much there is of a server, before it has run.
//
//     code_bytes("floor_echo --quiet")    // of its machine code, stripped or not
//     source_of("fibers/epoll")           // so many lines, of fibers/programs/echo_server.cpp
//
// The lines were counted when this was built, as grep does it:
//
//     cat FILES | grep -cvE '^[[:space:]]*(//|$)'
#pragma once

#include <bench/record/record.hpp>
#include <cstdint>
#include <optional>
#include <string>

namespace bench {

// The section .text of the program that the command starts, its shared libraries not counted;
// absent where that is no ELF file of 64 bits.
std::optional<std::int64_t> code_bytes(const std::string& command);

// What a reader must read to know a bundled server: its program, without the library it is written
// with and without what all servers share. Absent for any other.
std::optional<source_size> source_of(const std::string& name);

}  // namespace bench
