#include <fibers/error.hpp>
#include <fibers/memory/stack.hpp>
#include <fibers/memory/valgrind.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace fibers {
namespace {

#ifndef MADV_GUARD_INSTALL
constexpr int MADV_GUARD_INSTALL = 102;  // Linux 6.13; newer than the headers of Debian 12
#endif

constexpr std::size_t page = 4096;
constexpr std::size_t largest_slab = 4096;     // stacks
constexpr std::size_t usual_full_list = 1024;  // stacks; a pool keeps up to two such lists
// Far more than an address space, and few enough that the size of a slab does not overflow.
constexpr std::size_t largest_stack_size = std::size_t{1} << 48;

std::size_t slot_size(std::size_t stack_size) {
  return guard_size + stack_size;
}

// --- guards ----------------------------------------------------------------------------------

bool install_lightweight_guards(std::byte* slab, std::size_t stacks, std::size_t slot) {
  // process_madvise() installs up to 1024 guards per system call, if the kernel lets a process
  // advise itself (Linux 6.14).
  static const int self = valgrind::is_running()  // which complains of a call that it does not know
                              ? -1
                              : static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
  static const pid_t owner = ::getpid();
  // Static, because the caller of spawn() may have little of its own stack left.
  constexpr std::size_t most = 1024;
  static std::array<iovec, most> guards;
  static std::mutex guards_mutex;
  const std::lock_guard lock{guards_mutex};
  std::size_t done = 0;
  while (self >= 0 && owner == ::getpid() && done < stacks) {
    const auto count = std::min(most, stacks - done);
    for (std::size_t i = 0; i < count; ++i) guards[i] = {slab + (done + i) * slot, guard_size};
    const auto advised =
        ::syscall(SYS_process_madvise, self, guards.data(), count, MADV_GUARD_INSTALL, 0);
    if (advised != static_cast<long>(count * guard_size)) break;
    done += count;
  }
  for (; done < stacks; ++done) {
    if (::madvise(slab + done * slot, guard_size, MADV_GUARD_INSTALL) != 0) return false;
  }
  return true;
}

// Reads vm.max_map_count. Without std::ifstream, which may take more stack than the caller of
// spawn() has left.
std::size_t most_mappings() {
  constexpr std::size_t usual = 65530;
  std::array<char, 24> digits;
  const int file = ::open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
  if (file < 0) return usual;
  const auto length = ::read(file, digits.data(), digits.size());
  ::close(file);
  std::size_t value = usual;
  if (length > 0) std::from_chars(digits.data(), digits.data() + length, value);
  return value;
}

std::atomic<std::size_t> protected_stacks{0};

// Whether so many more stacks can be guarded. Every guard splits a mapping, and a process without
// mappings left cannot even allocate to report it. So this stops while some are left.
bool room_for_protection_guards(std::size_t stacks) {
  static const std::size_t limit = most_mappings();
  const auto left_for_others = std::min<std::size_t>(limit / 8, 1024);
  const auto before = protected_stacks.fetch_add(stacks);
  if (2 * (before + stacks) + left_for_others <= limit) return true;
  protected_stacks -= stacks;
  errno = ENOMEM;
  return false;
}

bool install_protection_guards(std::byte* slab, std::size_t stacks, std::size_t slot) {
  if (!room_for_protection_guards(stacks)) return false;
  for (std::size_t i = 0; i < stacks; ++i) {
    if (::mprotect(slab + i * slot, guard_size, PROT_NONE) == 0) continue;
    protected_stacks -= stacks;
    return false;
  }
  return true;
}

// Stacks with guards, cut from one mapping. `begin` is null if the system refused it: then errno
// says why, and `guard` names the limit: of the guards, or (lightweight) of the address space.
struct guarded_memory {
  std::byte* begin;
  guard_kind guard;
};

guarded_memory map_stacks(std::size_t stacks, std::size_t slot, guard_kind guard) {
  const auto bytes = stacks * slot;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return {nullptr, guard_kind::lightweight};
  ::madvise(memory, bytes, MADV_NOHUGEPAGE);  // else one touched page would cost two megabytes
  auto* begin = static_cast<std::byte*>(memory);
  // Memory that mlockall() has locked takes no lightweight guard. Protection lies over those that
  // were installed before the refusal.
  if (guard == guard_kind::lightweight && !install_lightweight_guards(begin, stacks, slot)) {
    guard = guard_kind::protection;
  }
  if (guard == guard_kind::lightweight || install_protection_guards(begin, stacks, slot)) {
    return {begin, guard};
  }
  const int error = errno;
  ::munmap(memory, bytes);
  errno = error;
  return {nullptr, guard};
}

[[noreturn]] void throw_out_of_stacks(guard_kind guard, int error) {
  throw_error(error, guard == guard_kind::protection
                         ? "no more stacks: vm.max_map_count limits how many can be guarded"
                         : "no more stacks: the system gives no more address space");
}

// --- stacks whose thread has ended or has too many -------------------------------------------

struct orphans {
  std::size_t stack_size;
  guard_kind guard;
  std::byte* free;
  std::size_t free_count;
  std::byte* fresh;
  std::byte* fresh_end;
};
std::mutex orphans_mutex;

// Never destroyed: threads may end after the static objects of this file are destroyed.
std::vector<orphans>& all_orphans() {
  static auto* all = new std::vector<orphans>;
  return *all;
}

}  // namespace

guard_kind best_guard() noexcept {
  static const guard_kind best = [] {
    void* probe = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (probe == MAP_FAILED) return guard_kind::protection;
    const bool works = ::madvise(probe, page, MADV_GUARD_INSTALL) == 0;
    ::munmap(probe, page);
    return works ? guard_kind::lightweight : guard_kind::protection;
  }();
  return best;
}

// --- the pools of a thread -------------------------------------------------------------------

namespace {

// The pool that was used last, and mostly is used next. It is apart from `pools` because it is read
// for each stack, and access to a thread_local with a destructor checks each time whether it is
// constructed.
thread_local constinit stack_pool* recent_pool = nullptr;
// `pools` is destroyed, but a static object may still hold a stack.
thread_local constinit bool pools_gone = false;

struct pools_of_thread {
  std::vector<std::unique_ptr<stack_pool>> all;
  ~pools_of_thread() {
    recent_pool = nullptr;
    pools_gone = true;
  }
};
thread_local pools_of_thread pools;

// For an object that outlives the pools of its thread. Never destroyed, like all_orphans().
stack_pool& late_pool(std::size_t stack_size) {
  static auto* all = new std::vector<std::unique_ptr<stack_pool>>;
  std::lock_guard lock{orphans_mutex};
  return *all->emplace_back(std::make_unique<stack_pool>(stack_size));
}

std::size_t whole_pages(std::size_t size) {
  if (size > largest_stack_size) {
    throw_error(ENOMEM, "a stack of " + std::to_string(size) + " bytes: no address space holds it");
  }
  return (std::max(size, smallest_stack_size) + page - 1) / page * page;
}

}  // namespace

inline stack_pool& stack_pool::of_this_thread(std::size_t stack_size) {
  if (recent_pool != nullptr && recent_pool->stack_size_ == stack_size) [[likely]]
    return *recent_pool;
  return find_or_make(stack_size);
}

stack_pool& stack_pool::find_or_make(std::size_t stack_size) {
  const auto size = whole_pages(stack_size);
  if (pools_gone) return late_pool(size);
  auto found = std::ranges::find(pools.all, size, [](auto& pool) { return pool->stack_size(); });
  if (found == pools.all.end()) {
    pools.all.push_back(std::make_unique<stack_pool>(size));
    found = std::prev(pools.all.end());
  }
  recent_pool = found->get();
  return *recent_pool;
}

stack_pool::stack_pool(std::size_t stack_size, guard_kind guard)
    : stack_size_{whole_pages(stack_size)},
      guard_{guard},
      full_list_{valgrind::is_running() ? 1 : usual_full_list} {
  prepare_thread_for_overflow();
}

stack_pool::~stack_pool() {
  std::lock_guard lock{orphans_mutex};
  if (free_ != nullptr || fresh_ != fresh_end_) {
    all_orphans().push_back({stack_size_, guard_, free_, free_count_, fresh_, fresh_end_});
  }
  if (aside_ != nullptr) {
    all_orphans().push_back({stack_size_, guard_, aside_, full_list_, nullptr, nullptr});
  }
}

std::byte* stack_pool::take() {
  if (free_ == nullptr && aside_ != nullptr) {
    free_ = std::exchange(aside_, nullptr);
    free_count_ = full_list_;
  }
  if (free_ == nullptr && fresh_ == fresh_end_) grow();
  if (free_ != nullptr) {
    --free_count_;
    auto* top = std::exchange(free_, stack_label::of(free_).next_free);
    sanitizer::forget_red_zones(top - stack_size_ + sizeof(stack_label),
                                stack_size_ - sizeof(stack_label));
    return top;
  }
  return prepare(std::exchange(fresh_, fresh_ + slot_size(stack_size_)));
}

void stack_pool::give_back(std::byte* top) noexcept {
  stack_label::of(top).next_free = free_;
  free_ = top;
  if (++free_count_ == full_list_) [[unlikely]]
    put_aside();
}

// Without this, a program that makes stacks on one thread and drops them on another would need ever
// more of them.
void stack_pool::put_aside() noexcept {
  valgrind::forget_contents(free_ - (stack_size_ - sizeof(stack_label)), free_);
  if (aside_ != nullptr) {
    std::lock_guard lock{orphans_mutex};
    all_orphans().push_back({stack_size_, guard_, aside_, full_list_, nullptr, nullptr});
  }
  aside_ = std::exchange(free_, nullptr);
  free_count_ = 0;
}

stack::stack(std::size_t size) : stack{stack_pool::of_this_thread(size)} {}
stack::stack(stack_pool& pool) : top_{pool.take()} {}
void stack::give_back() noexcept {
  stack_pool::of_this_thread(stack_label::of(top_).stack_size).give_back(top_);
}

std::byte* stack_pool::prepare(std::byte* slot) const {
  auto* top = slot + slot_size(stack_size_) - sizeof(stack_label);
  new (top) stack_label{nullptr, stack_size_, "somebody", {}};
  return top;
}

bool stack_pool::adopt_orphans() {
  std::lock_guard lock{orphans_mutex};
  const auto found = std::ranges::find_if(all_orphans(), [this](const orphans& group) {
    return group.stack_size == stack_size_ && group.guard == guard_;
  });
  if (found == all_orphans().end()) return false;
  free_ = found->free;
  free_count_ = found->free_count;
  fresh_ = found->fresh;
  fresh_end_ = found->fresh_end;
  all_orphans().erase(found);
  return true;
}

// Where a slab does not fit into what is left of the address space, half of it may.
void stack_pool::grow() {
  if (adopt_orphans()) return;
  const auto slot = slot_size(stack_size_);
  auto stacks = next_slab_;
  auto made = map_stacks(stacks, slot, guard_);
  while (made.begin == nullptr) {
    const int error = errno;
    if (stacks == 1 || (error != ENOMEM && error != EAGAIN)) throw_out_of_stacks(made.guard, error);
    made = map_stacks(stacks /= 2, slot, guard_);
  }
  fresh_ = made.begin;
  fresh_end_ = fresh_ + stacks * slot;
  name_overflows_in(fresh_, fresh_end_, slot);
  for (auto* begin = fresh_; valgrind::is_running() && begin != fresh_end_; begin += slot) {
    valgrind::register_stack(begin + guard_size, begin + slot);
  }
  next_slab_ = std::min(stacks * 2, made.guard == guard_kind::lightweight ? largest_slab : 256);
}

}  // namespace fibers
