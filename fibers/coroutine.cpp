#include <fibers/coroutine.hpp>

#include <cxxabi.h>
#include <sys/uio.h>
#include <unistd.h>

#include <iterator>

namespace fibers {

namespace {

template <class... Texts>
void write_line(Texts... texts) noexcept {
  const auto part = [](std::string_view text) {
    return iovec{const_cast<char*>(text.data()), text.size()};
  };
  const iovec parts[] = {part("fibers: "), part(texts)..., part("\n")};
  [[maybe_unused]] const auto written = ::writev(STDERR_FILENO, parts, std::size(parts));
}

}  // namespace

void complain(std::string_view mistake, std::string_view name, std::string_view rest) noexcept {
  write_line(mistake, " \"", name, "\" ", rest);
}

void refuse(const char* mistake) noexcept {
  write_line(mistake);
  std::terminate();
}

template <bool Address, bool Thread>
void sanitizer::library_has_the_same_sanitizers() noexcept {}
template void
sanitizer::library_has_the_same_sanitizers<sanitizer::address, sanitizer::thread>() noexcept;

[[gnu::noinline]] exception_state& live_exceptions() noexcept {
  // __cxa_get_globals() goes through the dynamic linker for each call, so keep what it returned.
  thread_local constinit exception_state* mine = nullptr;
  if (mine == nullptr) [[unlikely]] {
    mine = reinterpret_cast<exception_state*>(abi::__cxa_get_globals());
  }
  return *mine;
}

void coroutine::leave_for_ever() noexcept {
  assert(on_its_thread() && "a nested coroutine stays on its thread");
  auto* to = resumer_;
  if (successor_ != nullptr) {
    successor_->resumer_ = resumer_;
    successor_->live_ = live_;
    to = &successor_->inside_;
  }
  jump(inside_, *to, *live_, true);
  std::terminate();  // nothing jumps to a stack that has ended
}

struct coroutine::visitor {
  context outside;
  context* inside;
  void (*look)(void* argument);
  void* argument;
};

// When the coroutine is resumed later, the last jump here returns, and its value becomes the result
// of the jump that suspended the coroutine.
boost::context::detail::transfer_t coroutine::receive_visitor(
    boost::context::detail::transfer_t from) noexcept {
  auto& guest = *static_cast<visitor*>(from.data);
  auto& inside = *guest.inside;
  inside.tracker.after_switch_from(guest.outside.tracker);
  guest.look(guest.argument);
  inside.tracker.before_switch_to(guest.outside.tracker, false);
  return boost::context::detail::jump_fcontext(from.fctx, nullptr);
}

void coroutine::visit(void (*look)(void* argument), void* argument) noexcept {
  if (progress_ != progress::started || running()) return;
  visitor guest{{}, &inside_, look, argument};
  guest.outside.tracker.before_switch_to(inside_.tracker, false);
  const auto left =
      boost::context::detail::ontop_fcontext(inside_.stack_pointer, &guest, &receive_visitor);
  inside_.stack_pointer = left.fctx;
  guest.outside.tracker.after_switch_from(inside_.tracker);
}

// A stack has no room for so many nested handlers, so code that comes here that often is a loop.
[[gnu::cold, gnu::noinline]] void coroutine::throw_cancelled() {
  constexpr std::uint32_t too_often = 100'000;
  if (++throws_ == too_often) refuse("a coroutine that is destroyed swallows `cancelled` for ever");
  throw cancelled{};
}

void coroutine::unwind() noexcept {
  if (running()) refuse("a coroutine was destroyed while it runs");
  unwinding_ = true;  // run() drops what the body throws from now on
  while (!done()) resume();
}

}  // namespace fibers
