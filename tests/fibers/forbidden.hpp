// forbidden: system calls that fail from now on, as in a container or on an older kernel.
//
//     exit_code_of([] {
//       forbid(SYS_io_uring_setup, EPERM);
//       forbid(SYS_socket, EAFNOSUPPORT, 0, AF_INET6);  // only where argument 0 is AF_INET6
//       return ...;
//     });
//
// It cannot be undone, so call it in a child or in a role. The number of a call is that of this
// machine's architecture.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <tests/fibers/raw_socket.hpp>

// Only the lower half of an argument is compared.
inline void forbid(long call, int error, unsigned argument = 0,
                   std::optional<std::uint32_t> value = {}) {
  constexpr auto number_at = static_cast<std::uint32_t>(offsetof(seccomp_data, nr));
  const auto argument_at =
      static_cast<std::uint32_t>(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t));
  const auto refuse = SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
  std::array<sock_filter, 6> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number_at),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, value ? argument_at : number_at),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value.value_or(static_cast<std::uint32_t>(call)), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, refuse),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  checked(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
  checked(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), "PR_SET_SECCOMP");
}
