#include <bench/contract/steering.hpp>

#include <bench/contract/descriptor.hpp>

#include <linux/bpf.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <system_error>

namespace bench {
namespace {

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error{errno, std::system_category(), what};
}

// The kernel passes the packet from behind the TCP header on. Offsets from SKF_NET_OFF on count
// from the IP header. A listener on :: gets IPv4 packets as well.
void attach_port_filter(int listener, std::uint32_t listeners) {
  constexpr auto ip = static_cast<std::uint32_t>(SKF_NET_OFF);
  constexpr std::uint32_t v6_header = 40, v6_next_header = 6, unknown = 0xFFFFFFFF;
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ip),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xF0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x60, 2, 0),  // IPv6
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, ip),          // length of the IPv4 header
      BPF_STMT(BPF_JMP | BPF_JA, 4),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ip + v6_next_header),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, unknown),  // extension headers: left to the hash
      BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, v6_header),
      BPF_STMT(BPF_LD | BPF_H | BPF_IND, ip),  // source port
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, listeners),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(filter)), filter};
  if (setsockopt(listener, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) != 0)
    throw_errno("SO_ATTACH_REUSEPORT_CBPF");
}

descriptor bpf(int command, bpf_attr attributes, const char* what) {
  descriptor made{static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof attributes))};
  if (made.get() < 0) throw_errno(what);
  return made;
}

constexpr bpf_insn insn(int code, int to, int from, int offset, int constant) {
  bpf_insn made{};
  made.code = static_cast<std::uint8_t>(code);
  made.dst_reg = static_cast<std::uint8_t>(to & 0xF);
  made.src_reg = static_cast<std::uint8_t>(from & 0xF);
  made.off = static_cast<std::int16_t>(offset);
  made.imm = constant;
  return made;
}

descriptor make_counter() {
  bpf_attr wanted{};
  wanted.map_type = BPF_MAP_TYPE_ARRAY;
  wanted.key_size = sizeof(std::uint32_t);
  wanted.value_size = sizeof(std::uint64_t);
  wanted.max_entries = 1;
  return bpf(BPF_MAP_CREATE, wanted, "BPF_MAP_CREATE");
}

// return atomic_fetch_add(counter, 1) % listeners;
descriptor load_turns(int counter, int listeners) {
  const bpf_insn turns[] = {
      insn(BPF_ST | BPF_W | BPF_MEM, BPF_REG_10, 0, -4, 0),  // key 0, on the stack
      insn(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0),
      insn(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4),
      insn(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, counter),
      insn(0, 0, 0, 0, 0),  // the other half of the last one
      insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
      insn(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 1, 0),
      insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),  // never: the verifier asks for it
      insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, 1),
      insn(BPF_STX | BPF_DW | BPF_ATOMIC, BPF_REG_0, BPF_REG_1, 0, BPF_ADD | BPF_FETCH),
      insn(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_0, BPF_REG_1, 0, 0),
      insn(BPF_ALU64 | BPF_MOD | BPF_K, BPF_REG_0, 0, 0, listeners),
      insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
  };
  bpf_attr wanted{};
  wanted.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  wanted.insns = reinterpret_cast<std::uintptr_t>(turns);
  wanted.insn_cnt = static_cast<std::uint32_t>(std::size(turns));
  wanted.license = reinterpret_cast<std::uintptr_t>("");  // no helper that it calls asks for GPL
  return bpf(BPF_PROG_LOAD, wanted, "BPF_PROG_LOAD");
}

// The listeners keep the program, and the program its counter.
void attach_turns(int listener, std::size_t listeners) {
  const auto counter = make_counter();
  const auto program = load_turns(counter.get(), static_cast<int>(listeners));
  const int number = program.get();
  if (setsockopt(listener, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &number, sizeof number) != 0)
    throw_errno("SO_ATTACH_REUSEPORT_EBPF");
}

}  // namespace

std::optional<steering> steering_named(std::string_view name) {
  const auto found =
      std::ranges::find(steering_names, name, [](const auto& each) { return each.first; });
  if (found == steering_names.end()) return std::nullopt;
  return found->second;
}

std::string_view name_of(steering how) {
  return steering_names[static_cast<std::size_t>(how)].first;
}

void steer(const std::vector<int>& listeners, steering how) {
  if (how == steering::by_port)
    attach_port_filter(listeners.front(), static_cast<std::uint32_t>(listeners.size()));
  if (how == steering::in_turn) attach_turns(listeners.front(), listeners.size());
}

}  // namespace bench
