// Asks the running kernel: each answer is found by trying.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bench/contract/debug_build.hpp>
#include <bench/doctor/doctor.hpp>
#include <bench/machine/kernel_counts.hpp>
#include <bench/measure/preparation.hpp>
#include <bench/text/failure.hpp>
#include <cerrno>
#include <thread>

namespace bench {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// `result` is a new descriptor, which is closed, or negative. Returns 0 or errno.
int error_of(long result) {
  if (result < 0) return errno;
  close(static_cast<int>(result));
  return 0;
}

int try_io_uring() {
  std::array<std::byte, 120> parameters{};  // sizeof(io_uring_params); all zero is valid
  return error_of(syscall(SYS_io_uring_setup, 1, parameters.data()));
}

int try_guard() {
  constexpr int guard_install = 102;  // MADV_GUARD_INSTALL; the headers of Debian 12 lack it
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* probe = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED) return errno;
  const int error = madvise(probe, page, guard_install) == 0 ? 0 : errno;
  munmap(probe, page);
  return error;
}

// Free space for `folder`, which need not exist yet.
std::uintmax_t free_below(fs::path folder) {
  folder = fs::absolute(folder);
  while (!fs::exists(folder) && folder.has_relative_path()) folder = folder.parent_path();
  std::error_code error;
  const auto space = fs::space(folder, error);
  return error ? 0 : space.available;
}

void look_who_else_runs(kernel_answers& answers) {
  const auto cpu = answers.pins ? std::optional{answers.pins->server_cpu} : std::nullopt;
  const auto start = std::chrono::steady_clock::now();
  const auto before = processor_times::read(cpu);
  std::this_thread::sleep_for(1s);
  const auto after = processor_times::read(cpu);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  const auto available = passed.count() * after.processors;  // a sleep may take longer than asked
  answers.foreign_cpu_share = std::max(0.0, after.busy - before.busy) / available;
  answers.steal_share = std::max(0.0, after.steal - before.steal) / available;
}

void look_who_gets_connections(kernel_answers& answers) {
  for (std::size_t i = 0; i < answers.by_steering.size(); ++i)
    answers.by_steering[i] = share_out(steering_names[i].second, {2, 4, 8, 16});
}

}  // namespace

kernel_answers ask_kernel(const std::string& pin, const fs::path& output) {
  kernel_answers answers;
  answers.debug_build = built_for_debugging();
  answers.allowed = allowed_cpus();
  try {
    std::vector<caveat> caveats_found;
    const auto machine = prepare_machine(pin, caveats_found);
    if (machine.server_cpu) answers.pins = pinning{*machine.server_cpu, *machine.client_cpu};
  } catch (const run_invalid& refused) {
    answers.pin_refusal = refused.what();
  }
  answers.descriptors = raise_descriptor_limit();
  answers.guard_error = try_guard();
  answers.io_uring_error = try_io_uring();
  answers.tracepoint_refusal = kernel_counts{{getpid()}}.reason();
  answers.disk_bytes = free_below(output);
  look_who_gets_connections(answers);
  look_who_else_runs(answers);
  return answers;
}

}  // namespace bench
