#include <fibers/error.hpp>
#include <fibers/memory/valgrind.hpp>
#include <fibers/reactors/byte_calls.hpp>
#include <fibers/reactors/io_uring.hpp>
#include <fibers/reactors/make_reactor.hpp>
#include <fibers/reactors/submit_and_gather.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

namespace fibers {
namespace {

constexpr int buffer_group = 0;
constexpr std::uint32_t detail_mask = 0xffffff;
// One call runs some twenty pieces of deferred task work, the oldest first. If so many completions
// have come of it, there may be more.
constexpr unsigned many_completions = 16;
// drain() waits this long for the next send to complete.
constexpr std::chrono::seconds longest_silence{1};

// How long bytes that did not fit into the socket are still sent after a close. The kernel keeps
// sending what is in the socket for longer.
constexpr std::chrono::seconds longest_after_close{30};

[[noreturn]] void throw_unavailable(int error) {
  const char* reason = error == EINVAL ? "io_uring needs Linux 6.1"
                       : error == EPERM
                           ? "io_uring is forbidden here (sysctl kernel.io_uring_disabled, "
                             "or the container's seccomp filter)"
                           : "io_uring";
  throw_error(error, reason);
}

// Whether the ring refused a submission for good, and not for a signal, a timeout, a full
// completion queue or a lack of memory.
bool refused(int result) noexcept {
  if (result >= 0) return false;
  constexpr std::array passing{EINTR, ETIME, EAGAIN, EBUSY, ENOMEM};
  return std::ranges::find(passing, -result) == passing.end();
}

bool listens(int descriptor) noexcept {
  int accepts = 0;
  socklen_t length = sizeof accepts;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &length) == 0 &&
         accepts != 0;
}

// Whether one request serves one operation. That of an accept may outlive it, and so do most of
// those of a receive or a send: see has_own_request().
bool completes_once(const operation& asked) noexcept {
  return asked.what() == operation::kind::connect ||
         asked.what() == operation::kind::wait_readable ||
         asked.what() == operation::kind::wait_writable;
}

}  // namespace

std::unique_ptr<reactor> make_io_uring_reactor(gather how) {
  using settings = io_uring_reactor::settings;
  return std::make_unique<io_uring_reactor>(
      io_uring_reactor::forced.value_or(settings{.gather = how}));
}

// --- construction ----------------------------------------------------------------------------

// Delegates, so that the destructor frees the ring if there is no memory for the buffers.
io_uring_reactor::io_uring_reactor(const settings& wanted)
    : io_uring_reactor{wanted, delegated::ring_only} {
  tries_.reserve(std::size_t{2} * ring_.sq.ring_entries);
  provide_buffers(std::min(wanted.buffers, most_buffers_));
  auto& submission = next_submission();
  io_uring_prep_poll_multishot(&submission, interrupt_, POLLIN);
  submission.user_data = tag(request::interrupt, 0, interrupt_);
}

io_uring_reactor::io_uring_reactor(const settings& wanted, delegated)
    : most_buffers_{wanted.most_buffers},
      gather_{wanted.gather},
      least_gathered_{wanted.least_gathered},
      quiet_sends_{wanted.quiet_sends},
      receive_straight_from_{wanted.receive_straight_from},
      send_straight_from_{wanted.send_straight_from} {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
  params.cq_entries = std::max(wanted.queue * 8, 4096u);
  if (const int error = ::io_uring_queue_init_params(wanted.queue, &ring_, &params)) {
    throw_unavailable(-error);
  }
  io_uring_register_ring_fd(&ring_);  // saves the kernel a lookup per call; optional
  if (!fibers_can_gather(&ring_)) {
    gather_ = gather_control{gather::off};
    least_gathered_ = 1;
  }
  io_uring_ring_dontfork(&ring_);  // a child would write into the parent's queue
  const auto ring_bytes = most_buffers_ * sizeof(io_uring_buf);
  void* memory =
      ::mmap(nullptr, ring_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
  registration.ring_entries = most_buffers_;
  registration.bgid = buffer_group;
  interrupt_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  const int error = interrupt_ < 0 || memory == MAP_FAILED
                        ? errno
                        : -io_uring_register_buf_ring(&ring_, &registration, 0);
  if (error != 0) {
    io_uring_queue_exit(&ring_);
    if (memory != MAP_FAILED) ::munmap(memory, ring_bytes);
    if (interrupt_ >= 0) ::close(interrupt_);
    throw_unavailable(error);
  }
  buffer_ring_ = static_cast<io_uring_buf_ring*>(memory);
  io_uring_buf_ring_init(buffer_ring_);
}

io_uring_reactor::~io_uring_reactor() {
  if (!abandoned_) drain();
  for (const auto& known : entries_) {
    if (!known.accepted) continue;
    for (const int connection : *known.accepted) ::close(connection);
  }
  if (!abandoned_) io_uring_queue_exit(&ring_);
  ::munmap(buffer_ring_, most_buffers_ * sizeof(io_uring_buf));
  ::close(interrupt_);
}

// The child has its own copy of all other memory.
void io_uring_reactor::abandon(operation_list& finished) noexcept {
  abandoned_ = true;
  ::close(ring_.ring_fd);
  for (auto& forgotten : forgotten_) forgotten.fail(ECANCELED);
  finished.splice_after(finished.last(), forgotten_);
}

bool io_uring_reactor::drain() noexcept try {
  using std::chrono::steady_clock;
  if (sends_under_way() == 0) return false;
  flush();
  auto until = steady_clock::now() + longest_silence;
  interrupted_ = false;
  while (sends_under_way() > 0 && !interrupted_ && steady_clock::now() < until) {
    const auto before = sends_under_way();
    operation_list nobodys;
    poll(until, nobodys);
    nobodys.clear();
    if (sends_under_way() < before) until = steady_clock::now() + longest_silence;
  }
  return interrupted_;
} catch (const std::exception&) {  // the ring failed or memory ran out: the bytes are lost
  return false;
}

// --- buffers ---------------------------------------------------------------------------------

void io_uring_reactor::provide_buffers(unsigned count) {
  count = std::min<unsigned>(count, most_buffers_ - static_cast<unsigned>(buffers_.size()));
  if (count == 0) return;
  unread_.resize(buffers_.size() + count, {0, none});
  auto& slab =
      slabs_.emplace_back(std::make_unique_for_overwrite<std::byte[]>(count * buffer_size));
  valgrind::expect_kernel_to_fill(slab.get(), count * buffer_size);
  for (unsigned i = 0; i < count; ++i) {
    buffers_.push_back(slab.get() + i * buffer_size);
    give_back(static_cast<int>(buffers_.size()) - 1);
  }
}

void io_uring_reactor::give_back(int buffer) noexcept {
  io_uring_buf_ring_add(buffer_ring_, buffers_[static_cast<std::size_t>(buffer)], buffer_size,
                        static_cast<unsigned short>(buffer), io_uring_buf_ring_mask(most_buffers_),
                        returned_++);
}

inline std::byte* io_uring_reactor::bytes_of(int buffer) noexcept {
  const auto index = static_cast<std::size_t>(buffer);
  return in_ring(buffer) ? buffers_[index] : spares_[index - most_buffers_].bytes.get();
}

inline io_uring_reactor::received& io_uring_reactor::record_of(int buffer) noexcept {
  const auto index = static_cast<std::size_t>(buffer);
  return in_ring(buffer) ? unread_[index] : spares_[index - most_buffers_].what;
}

// Copies the bytes into a spare buffer, returns `buffer` to the ring, and returns the spare's
// number.
int io_uring_reactor::copy_aside(int buffer, std::uint32_t size) {
  if (free_spares_.empty()) {
    free_spares_.reserve(spares_.size() + 1);  // so that release() never allocates
    spares_.emplace_back();
    free_spares_.push_back(static_cast<int>(most_buffers_ + spares_.size()) - 1);
  }
  const int aside = free_spares_.back();
  auto& memory = spares_[static_cast<std::size_t>(aside) - most_buffers_].bytes;
  memory = std::make_unique_for_overwrite<std::byte[]>(size);
  std::memcpy(memory.get(), bytes_of(buffer), size);
  free_spares_.pop_back();
  give_back(buffer);
  return aside;
}

// Frees a buffer whose bytes have been read or are discarded.
void io_uring_reactor::release(int buffer) noexcept {
  if (in_ring(buffer)) {
    --kept_;
    return give_back(buffer);
  }
  spares_[static_cast<std::size_t>(buffer) - most_buffers_].bytes.reset();
  free_spares_.push_back(buffer);
}

[[gnu::noinline]] int io_uring_reactor::make_send_buffer() {
  auto bytes = std::make_unique_for_overwrite<std::byte[]>(send_size);
  if (!bare_outgoing_.empty()) {
    const int slot = bare_outgoing_.back();
    bare_outgoing_.pop_back();
    outgoing_[static_cast<std::size_t>(slot)].bytes = std::move(bytes);
    return slot;
  }
  for (auto* list : {&free_outgoing_, &bare_outgoing_}) {  // so that a free slot needs no memory
    if (list->capacity() <= outgoing_.size()) list->reserve(2 * outgoing_.size() + 16);
  }
  outgoing_.push_back({std::move(bytes)});
  return static_cast<int>(outgoing_.size()) - 1;
}

// A connection has at most one send under way, so each that is closed makes one buffer needless.
void io_uring_reactor::drop_a_send_buffer() noexcept {
  if (free_outgoing_.size() <= most_free_send_buffers) return;
  const int slot = free_outgoing_.back();
  free_outgoing_.pop_back();
  outgoing_[static_cast<std::size_t>(slot)].bytes.reset();
  bare_outgoing_.push_back(slot);
}

// Doubles the number of buffers. Without memory for that, receives wait until buffers return.
void io_uring_reactor::provide_more_buffers() noexcept try {
  if (std::exchange(grew_, true)) return;  // many receives may report ENOBUFS in one poll
  provide_buffers(static_cast<unsigned>(buffers_.size()));
} catch (const std::bad_alloc&) {
}

// Lets the receive begin again when there are buffers. Without memory to remember it, it fails.
void io_uring_reactor::starve(int descriptor) noexcept {
  auto& about = known(descriptor);
  if (about.shorts > 0 || buffers_.size() < most_for_crowd) provide_more_buffers();
  if (!wait_for_turn(descriptor)) about.receive_error = ENOMEM;
}

// False: there is no memory to remember it.
bool io_uring_reactor::wait_for_turn(int descriptor) noexcept try {
  waiting_.push_back({descriptor, known(descriptor).generation});
  known(descriptor).receiving = incoming::queued;
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

inline int io_uring_reactor::take_send_buffer() {
  if (free_outgoing_.empty()) [[unlikely]]
    return make_send_buffer();
  const int slot = free_outgoing_.back();
  free_outgoing_.pop_back();
  return slot;
}

// --- submissions -----------------------------------------------------------------------------

// The user_data of a request, from which completed() learns what it belongs to: the kind in the top
// 8 bits, then 24 bits of detail, then the descriptor.
std::uint64_t io_uring_reactor::tag(request kind, std::uint32_t detail, int descriptor) noexcept {
  return std::uint64_t{static_cast<std::uint8_t>(kind)} << 56 |
         std::uint64_t{detail & detail_mask} << 32 | static_cast<std::uint32_t>(descriptor);
}

int io_uring_reactor::flush() noexcept {
  make_tries_answer();
  must_poll_ = true;  // only poll() handles the completions that this may post
  const int result = io_uring_submit(&ring_);
  note_submitted();
  return result;
}

// Begins a new epoch once the kernel has taken all submissions. It leaves some for the next call
// when memory or room for completions runs out.
inline void io_uring_reactor::note_submitted() noexcept {
  if (io_uring_sq_ready(&ring_) == 0) [[likely]]
    ++epoch_;
}

// Whether the kernel has taken the submission of that number.
inline bool io_uring_reactor::taken(std::uint32_t number) const noexcept {
  const auto next = std::atomic_ref{*ring_.sq.khead}.load(std::memory_order_acquire);
  return static_cast<std::int32_t>(number - next) < 0;
}

// Whether the kernel holds completions for which the queue had no room.
inline bool io_uring_reactor::overflowed() const noexcept {
  const auto flags = std::atomic_ref{*ring_.sq.kflags}.load(std::memory_order_relaxed);
  return (flags & IORING_SQ_CQ_OVERFLOW) != 0;
}

// Returns a free submission entry. A full submission queue is submitted first. If the ring refuses
// it for good, the request is lost, and poll() throws the error.
inline io_uring_sqe& io_uring_reactor::next_submission() noexcept {
  static thread_local io_uring_sqe lost;
  must_poll_ = true;
  auto* submission = io_uring_get_sqe(&ring_);
  while (submission == nullptr) [[unlikely]] {
      const int result = flush();
      if (refused(result)) return lost;
      if (result < 0) io_uring_get_events(&ring_);  // mostly, completions have no room
      submission = io_uring_get_sqe(&ring_);
    }
  return *submission;
}

// Returns an entry for a request that names `descriptor`. Records the epoch: the kernel must see
// the request before the descriptor is closed.
inline io_uring_sqe& io_uring_reactor::ask(int descriptor) noexcept {
  auto& submission = next_submission();
  known(descriptor).epoch = epoch_;
  return submission;
}

// Submits, and lets the kernel complete what was cancelled. Until then the kernel holds a reference
// to the connection, and close() would not end it.
void io_uring_reactor::settle() noexcept {
  make_tries_answer();
  must_poll_ = true;
  unsigned before;
  int failures = 0;
  do {
    before = io_uring_cq_ready(&ring_);
    if (io_uring_submit_and_get_events(&ring_) <= 0) ++failures;
  } while (io_uring_cq_ready(&ring_) - before >= many_completions ||
           (io_uring_sq_ready(&ring_) > 0 && failures < 2));
  note_submitted();
}

void io_uring_reactor::cancel_request(std::uint64_t which) noexcept {
  auto& submission = next_submission();
  io_uring_prep_cancel64(&submission, which, 0);
  submission.user_data = tag(request::cancel, 0, 0);
}

void io_uring_reactor::watch_end(int descriptor) noexcept {
  auto& submission = ask(descriptor);
  io_uring_prep_poll_add(&submission, descriptor, POLLRDHUP);
  submission.user_data = tag(request::end, known(descriptor).generation, descriptor);
  known(descriptor).end = watch::under_way;
}

void io_uring_reactor::listen_in(int descriptor, request kind) noexcept {
  if (kind == request::receive) {
    const auto& about = known(descriptor);
    if (goes_straight(*about.reader, about)) return poll_for(*about.reader);
    const bool fills = about.shorts == 0;
    if (fills && crowded() && wait_for_turn(descriptor)) return;
    return begin_receive(descriptor);
  }
  auto& submission = ask(descriptor);
  io_uring_prep_accept(&submission, descriptor, nullptr, nullptr, SOCK_CLOEXEC);
  submission.user_data = tag(kind, known(descriptor).generation, descriptor);
  known(descriptor).receiving = incoming::armed;
}

void io_uring_reactor::begin_receive(int descriptor) noexcept {
  // Submit the poll before the receive. The kernel wakes the receive first then, and it has mostly
  // reported the end already.
  auto& about = known(descriptor);
  about.more = false;
  if (about.end == watch::none) watch_end(descriptor);
  auto& submission = ask(descriptor);
  if (about.shorts >= calm || !crowded()) {
    io_uring_prep_recv_multishot(&submission, descriptor, nullptr, 0, 0);
  } else {
    io_uring_prep_recv(&submission, descriptor, nullptr, buffer_size, 0);
  }
  submission.flags |= IOSQE_BUFFER_SELECT;
  submission.buf_group = buffer_group;
  submission.user_data = tag(request::receive, about.generation, descriptor);
  about.receiving = incoming::armed;
}

// Asks for one completion, as soon as the waiting operation can go on.
void io_uring_reactor::poll_for(const operation& waiting) noexcept {
  auto& submission = ask(waiting.descriptor());
  io_uring_prep_poll_add(&submission, waiting.descriptor(), waiting.reads() ? POLLIN : POLLOUT);
  submission.user_data = once_tag(waiting);
}

// Where the peer has ended its side, every poll on a ring completes at once, room or not.
[[gnu::noinline]] void io_uring_reactor::poll_later(const operation& waiting) noexcept {
  static constexpr long ten_milliseconds = 10'000'000;
  static __kernel_timespec pause{0, ten_milliseconds};
  auto& submission = ask(waiting.descriptor());
  io_uring_prep_timeout(&submission, &pause, 0, 0);
  submission.user_data = once_tag(waiting);
}

void io_uring_reactor::stop_listening_in(int descriptor, request kind) noexcept {
  known(descriptor).receiving = incoming::cancelling;
  cancel_request(tag(kind, known(descriptor).generation, descriptor));
}

// Most sockets have room, so most sends succeed within the call that submits them. A send that
// leaves no completion then does not end the wait that follows in the same call, and costs no call
// of its own. If the socket lacks room, the try fails or is short, and send_rest() goes on.
// (MSG_WAITALL makes a short send a failure, and failures are completed in any case.)
inline void io_uring_reactor::try_to_send(int descriptor, int slot) noexcept {
  auto& submission = ask(descriptor);
  auto& out = outgoing_[static_cast<std::size_t>(slot)];
  io_uring_prep_send(&submission, descriptor, out.bytes.get(), out.size,
                     MSG_NOSIGNAL | MSG_WAITALL | MSG_DONTWAIT);
  submission.flags |= IOSQE_CQE_SKIP_SUCCESS;
  submission.user_data = tag(request::send, static_cast<std::uint32_t>(slot), descriptor);
  out.number = ring_.sq.sqe_tail - 1;
  out.tried = true;
  tries_.push_back({slot, out.number});  // never allocates: see the constructor
}

// Makes sends of those tries that the kernel has not taken yet. Only poll() learns that a try has
// succeeded, so no other call may submit one.
void io_uring_reactor::make_tries_answer() noexcept {
  while (!tries_.empty() && !taken(tries_.back().number)) {
    const auto [slot, number] = tries_.back();
    auto& submission = ring_.sq.sqes[number & ring_.sq.ring_mask];
    submission.msg_flags &= ~static_cast<unsigned>(MSG_DONTWAIT);
    submission.flags &= static_cast<std::uint8_t>(~IOSQE_CQE_SKIP_SUCCESS);
    outgoing_[static_cast<std::size_t>(slot)].tried = false;
    tries_.pop_back();
  }
}

inline void io_uring_reactor::send_rest(int descriptor, int slot) noexcept {
  auto& submission = ask(descriptor);
  const auto& rest = outgoing_[static_cast<std::size_t>(slot)];
  io_uring_prep_send(&submission, descriptor, rest.bytes.get() + rest.sent, rest.size - rest.sent,
                     MSG_NOSIGNAL | MSG_WAITALL);
  submission.user_data = tag(request::send, static_cast<std::uint32_t>(slot), descriptor);
}

// --- the contract ----------------------------------------------------------------------------

io_uring_reactor::entry& io_uring_reactor::at(int descriptor) {
  const auto index = static_cast<std::size_t>(descriptor);
  if (index >= entries_.size()) entries_.resize(std::max(index + 1, entries_.size() * 2));
  return entries_[index];
}

// On a non-blocking descriptor the kernel may complete requests with EAGAIN instead of waiting. An
// accept waits (since Linux 5.18), so a listener stays as it is: it may be shared with a loop that
// would block in accept() otherwise.
int io_uring_reactor::adopt(int descriptor) noexcept try {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0) return errno;
  const bool changes = (flags & O_NONBLOCK) != 0 && !listens(descriptor);
  if (changes && ::fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK) != 0) return errno;
  forget(descriptor);  // operations on an earlier owner of the number would wait for ever
  at(descriptor);
  return 0;
} catch (const std::bad_alloc&) {
  return ENOMEM;
}

void io_uring_reactor::forget(int descriptor) noexcept {
  if (static_cast<std::size_t>(descriptor) >= entries_.size()) return;
  auto& old = known(descriptor);
  const bool closed_under_a_call = old.reader != nullptr || old.writer != nullptr;
  if (old.writer != nullptr && old.writer->what() == operation::kind::send) old.given_up = true;
  cancel_all(descriptor);
  if (old.receiving == incoming::armed) stop_listening_in(descriptor, request::receive);
  if (old.end == watch::under_way) cancel_request(tag(request::end, old.generation, descriptor));
  if (old.sending != none) leave_unsent(old);
  const bool asked = closed_under_a_call || old.receiving != incoming::off ||
                     old.end == watch::under_way || old.sending != none || old.epoch == epoch_;
  if (asked) settle();
  for (int buffer = old.first_unread; buffer != none;) {
    release(std::exchange(buffer, record_of(buffer).next));
  }
  if (old.accepted) {
    for (const int connection : *old.accepted) ::close(connection);
  }
  drop_a_send_buffer();
  entry fresh;
  fresh.generation = old.generation + 1;
  for (const int reads : {0, 1}) fresh.turns[reads] = old.turns[reads] + 1;
  old = std::move(fresh);
}

int io_uring_reactor::hand_over(int descriptor) noexcept {
  if (static_cast<std::size_t>(descriptor) >= entries_.size()) return 0;
  cancel_all(descriptor);
  auto& old = known(descriptor);
  if (old.sending != none) return EBUSY;
  if (old.send_error != 0 && !old.send_error_told) {
    old.send_error_told = true;
    return old.send_error;
  }
  const bool kept = old.first_unread != none || old.receive_error != 0 ||
                    (old.accepted && !old.accepted->empty());
  if (kept || stop_incoming(descriptor) != arrivals::none) return EAGAIN;
  forget(descriptor);
  return 0;
}

// Cancels the armed receive (an accept is cancelled with its operation) and waits for the last
// completion. Returns whether it has brought something that poll() has not collected yet.
io_uring_reactor::arrivals io_uring_reactor::stop_incoming(int descriptor) noexcept {
  auto& about = known(descriptor);
  if (about.receiving == incoming::queued) about.receiving = incoming::off;
  if (about.receiving == incoming::off) return arrivals::none;
  if (about.receiving == incoming::armed) stop_listening_in(descriptor, request::receive);
  constexpr int most_tries = 10;
  auto found = arrivals::unknown;
  for (int i = 0; i < most_tries && found == arrivals::unknown; ++i) {
    settle();
    found = uncollected(descriptor);
  }
  return found;
}

// Looks for completions of the receive or accept. They stay in the queue, because an operation may
// finish only in poll(). Unknown: the last one has not come.
io_uring_reactor::arrivals io_uring_reactor::uncollected(int descriptor) noexcept {
  const auto& about = known(descriptor);
  const auto kind = about.accepted ? request::accept : request::receive;
  const auto wanted = tag(kind, about.generation, descriptor);
  const int least = kind == request::accept ? 0 : 1;  // a result of 0 bytes is the end
  auto found = arrivals::unknown;
  unsigned head;
  io_uring_cqe* completion;
  io_uring_for_each_cqe(&ring_, head, completion) {
    if (completion->user_data != wanted) continue;
    const bool failed = completion->res < 0 && completion->res != -ECANCELED &&
                        completion->res != -ECONNABORTED && completion->res != -ENOBUFS;
    if (completion->res >= least || failed) return arrivals::some;
    if ((completion->flags & IORING_CQE_F_MORE) == 0) found = arrivals::none;
  }
  return found;
}

// Handles a send whose descriptor is being closed. It is cancelled at once if given_up is set: the
// stream is incomplete anyway. Otherwise it has longest_after_close.
void io_uring_reactor::leave_unsent(entry& of) noexcept {
  auto& out = outgoing_[static_cast<std::size_t>(of.sending)];
  ++closed_unsent_;
  out.limit = clock::now() + longest_after_close;
  if (of.given_up) {
    out.limit = when_something_happens;
    cancel_request(tag(request::send, static_cast<std::uint32_t>(of.sending), out.descriptor));
  }
  next_limit_ = std::min(next_limit_, out.limit);
}

// Cancels the sends of closed descriptors whose limit has passed. Returns the next limit.
io_uring_reactor::time_point io_uring_reactor::give_up_overdue() noexcept {
  const auto now = clock::now();
  if (now < next_limit_) return next_limit_;
  next_limit_ = when_something_happens;
  for (std::size_t slot = 0; slot < outgoing_.size(); ++slot) {
    auto& out = outgoing_[slot];
    if (out.limit <= now) {
      out.limit = when_something_happens;
      cancel_request(tag(request::send, static_cast<std::uint32_t>(slot), out.descriptor));
    }
    next_limit_ = std::min(next_limit_, out.limit);
  }
  return next_limit_;
}

void io_uring_reactor::give_up_unsent(int descriptor) noexcept {
  if (static_cast<std::size_t>(descriptor) < entries_.size()) known(descriptor).given_up = true;
}

void io_uring_reactor::cancel_all(int descriptor) noexcept {
  if (static_cast<std::size_t>(descriptor) >= entries_.size()) return;
  auto& about = known(descriptor);
  for (auto** waiting : {&about.reader, &about.writer}) {
    if (*waiting == nullptr) continue;
    auto& cancelled = *std::exchange(*waiting, nullptr);
    stop(cancelled);
    forgotten_.push_back(cancelled);
    must_poll_ = true;
  }
}

std::size_t io_uring_reactor::unread(int descriptor) const noexcept {
  const auto index = static_cast<std::size_t>(descriptor);
  if (index >= entries_.size()) return 0;
  const auto& about = entries_[index];
  std::size_t bytes = 0;
  for (int buffer = about.first_unread; buffer != none; buffer = record_of(buffer).next) {
    bytes += record_of(buffer).size;
  }
  return bytes - about.offset;
}

bool io_uring_reactor::submit(operation& started) {
  if (static_cast<std::size_t>(started.descriptor()) >= entries_.size()) [[unlikely]] {
    if (::fcntl(started.descriptor(), F_GETFD) < 0) {
      started.fail(errno);
      return true;
    }
    at(started.descriptor());
  }
  switch (started.what()) {
    case operation::kind::receive:
    case operation::kind::accept:
      return start_reading(started);
    case operation::kind::send:
    case operation::kind::wait_sent:
      return start_sending(started);
    default:
      return start_once(started);
  }
}

bool io_uring_reactor::start_reading(operation& started) {
  auto& from = known(started.descriptor());
  const bool accepts = started.what() == operation::kind::accept;
  if (from.reader != nullptr) {
    started.fail(EBUSY);
    return true;
  }
  if (accepts && !from.accepted) from.accepted = std::make_unique<std::deque<int>>();
  if (read_now(started)) return true;
  const bool straight = goes_straight(started, from);
  if (straight && from.more && receive_straight(started, from)) return true;
  from.reader = &started;
  started.pend();
  if (straight && from.receiving == incoming::armed) {
    stop_listening_in(started.descriptor(), request::receive);
  }
  if (from.receiving == incoming::off) {
    listen_in(started.descriptor(), accepts ? request::accept : request::receive);
  }
  return false;
}

// Finishes a reading operation with what has arrived already. False: nothing has.
inline bool io_uring_reactor::read_now(operation& reading) noexcept {
  auto& from = known(reading.descriptor());
  if (reading.what() == operation::kind::wait_readable) {
    const bool something = from.first_unread != none || from.receive_error != 0 || from.ended ||
                           (from.accepted && !from.accepted->empty());
    if (something) reading.finish(0);
    return something;
  }
  if (from.accepted && !from.accepted->empty()) {
    reading.finish(static_cast<std::size_t>(from.accepted->front()));
    from.accepted->pop_front();
    return true;
  }
  if (from.first_unread != none) {
    copy_out(from, reading);
    return true;
  }
  if (from.receive_error != 0) {
    reading.fail(std::exchange(from.receive_error, 0));
    return true;
  }
  if (from.ended) reading.finish(0);
  return from.ended;
}

void io_uring_reactor::copy_out(entry& from, operation& reading) noexcept {
  iovec single{reading.data(), reading.size()};
  const auto* part = reading.parts() == 0 ? &single : reading.first_part();
  const auto* const end = part + std::max<std::size_t>(reading.parts(), 1);
  std::size_t filled = 0;  // bytes of *part
  std::size_t total = 0;
  while (part != end && from.first_unread != none) {
    const auto now = record_of(from.first_unread);
    const auto size = std::min<std::size_t>(part->iov_len - filled, now.size - from.offset);
    std::memcpy(static_cast<std::byte*>(part->iov_base) + filled,
                bytes_of(from.first_unread) + from.offset, size);
    total += size;
    filled += size;
    from.offset = static_cast<std::uint16_t>(from.offset + size);
    if (filled == part->iov_len) {
      ++part;
      filled = 0;
    }
    if (from.offset < now.size) continue;
    release(from.first_unread);
    from.first_unread = now.next;
    from.offset = 0;
    --from.unread;
  }
  reading.finish(total);
}

// The path of nearly every message: one operation waits with one buffer, and the message fits.
inline bool io_uring_reactor::copy_straight(entry& from, const io_uring_cqe& what) noexcept {
  auto* const reader = from.reader;
  if (reader == nullptr || reader->what() != operation::kind::receive || reader->parts() != 0 ||
      what.res <= 0) {
    return false;
  }
  assert(from.first_unread == none && "a receive waits although bytes are there");
  const auto size = static_cast<std::size_t>(what.res);
  if (size > reader->size()) return false;
  const auto buffer = what.flags >> IORING_CQE_BUFFER_SHIFT;
  std::memcpy(reader->data(), buffers_[buffer], size);
  give_back(static_cast<int>(buffer));
  reader->finish(size);
  from.reader = nullptr;
  return true;
}

// Whether a receive takes its bytes from the socket itself, as soon as a poll has reported some.
// With less memory, or few bytes at a time, a multishot receive costs less: one request for many
// messages, and no system call to fetch one. But of a stream it brings 2 KiB per completion, and
// whenever nobody reads for a moment it is cancelled and begun again.
inline bool io_uring_reactor::goes_straight(const operation& reading,
                                            const entry& about) const noexcept {
  return reading.what() == operation::kind::receive && reading.size() >= receive_straight_from_ &&
         (about.streams || receive_straight_from_ == 0);
}

// Precondition: no request takes bytes from this socket. False: nothing is there.
bool io_uring_reactor::receive_straight(operation& reading, entry& from) noexcept {
  assert(from.receiving == incoming::off || from.receiving == incoming::queued);
  assert(from.first_unread == none);
  ssize_t result;
  do {
    result = receive_now(reading);
  } while (result < 0 && errno == EINTR);
  from.more = result > 0 && static_cast<std::size_t>(result) == reading.size();
  if (result < 0) {
    if (errno == EAGAIN) return false;
    reading.fail(errno);
    return true;
  }
  const auto size = static_cast<std::size_t>(result);
  if (size >= buffer_size) {
    from.shorts = 0;
  } else if (++from.shorts >= few_bytes) {
    from.shorts = few_bytes;
    from.streams = false;
  }
  from.ended = size == 0;
  reading.finish(size);
  return true;
}

// The kernel tells an error once, and EPIPE from then on.
[[gnu::noinline]] void io_uring_reactor::refuse_sending(operation& started, entry& to) noexcept {
  const bool told = to.send_error_told;
  to.send_error_told = true;
  if (told && started.what() == operation::kind::wait_sent) return started.finish(0);
  started.fail(told ? EPIPE : to.send_error);
}

// An error that is still to be told comes first.
void io_uring_reactor::no_more_sends(int descriptor) noexcept {
  if (static_cast<std::size_t>(descriptor) >= entries_.size()) return;
  auto& to = known(descriptor);
  if (to.send_error != 0) return;
  to.send_error = EPIPE;
  to.send_error_told = true;
}

bool io_uring_reactor::shut_down_when_sent(int descriptor) noexcept {
  if (static_cast<std::size_t>(descriptor) >= entries_.size()) return false;
  auto& of = known(descriptor);
  if (of.sending == none) return false;
  hurry_ = true;
  of.shut_when_sent = true;
  no_more_sends(descriptor);
  return true;
}

int io_uring_reactor::why_ended(int descriptor) noexcept {
  if (static_cast<std::size_t>(descriptor) >= entries_.size()) return 0;
  auto& about = known(descriptor);
  if (!ends_connection(about.send_error) || about.broken_told) return 0;
  about.broken_told = true;
  return about.send_error;
}

bool io_uring_reactor::may_receive(int descriptor) const noexcept {
  const auto index = static_cast<std::size_t>(descriptor);
  return index < entries_.size() && entries_[index].more;
}

// Sends from the operation's memory, which spares a copy. False: there is no room.
bool io_uring_reactor::send_straight(operation& writing, entry& to) noexcept {
  ssize_t sent;
  do {
    sent = send_now(writing);
  } while (sent < 0 && errno == EINTR);
  to.full = sent < 0 || static_cast<std::size_t>(sent) < writing.size();
  if (sent >= 0) {
    writing.finish(static_cast<std::size_t>(sent));
    return true;
  }
  if (errno == EAGAIN) return false;
  writing.fail(errno);
  if (!ends_connection(writing.error())) return true;
  to.send_error = static_cast<std::int16_t>(writing.error());
  to.send_error_told = true;
  return true;
}

bool io_uring_reactor::start_sending(operation& started) {
  auto& to = known(started.descriptor());
  if (to.writer != nullptr) {
    started.fail(EBUSY);
    return true;
  }
  const bool waits = to.shut_when_sent && started.what() == operation::kind::wait_sent;
  if (to.send_error != 0 && !waits) [[unlikely]] {
    refuse_sending(started, to);
    return true;
  }
  if (to.sending != none) {  // one send in flight per descriptor keeps the order
    to.writer = &started;
    started.pend();
    hurry_ = true;
    return false;
  }
  if (started.what() == operation::kind::wait_sent) {
    started.finish(0);
    return true;
  }
  if (started.size() >= send_straight_from_) {
    if (!to.full && send_straight(started, to)) return true;
    to.writer = &started;
    started.pend();
    poll_for(started);
    return false;
  }
  send_copy(started, to);
  return true;
}

void io_uring_reactor::send_copy(operation& started, entry& to) {
  const int slot = take_send_buffer();
  auto& out = outgoing_[static_cast<std::size_t>(slot)];
  const iovec single{started.data(), started.size()};
  const auto* part = started.parts() == 0 ? &single : started.first_part();
  const auto* const end = part + std::max<std::size_t>(started.parts(), 1);
  std::size_t size = 0;
  for (; part != end && size < send_size; ++part) {
    const auto piece = std::min(part->iov_len, send_size - size);
    std::memcpy(out.bytes.get() + size, part->iov_base, piece);
    size += piece;
  }
  out.size = static_cast<std::uint32_t>(size);
  out.sent = 0;
  out.generation = to.generation;
  out.descriptor = started.descriptor();
  out.limit = when_something_happens;
  to.sending = slot;
  quiet_sends_ ? try_to_send(started.descriptor(), slot) : send_rest(started.descriptor(), slot);
  started.finish(size);
}

bool io_uring_reactor::start_once(operation& started) {
  const int descriptor = started.descriptor();
  auto& about = known(descriptor);
  auto& waiting = started.reads() ? about.reader : about.writer;
  if (waiting != nullptr) {
    started.fail(EBUSY);
    return true;
  }
  if (started.reads() && read_now(started)) return true;
  waiting = &started;
  started.pend();
  // An armed receive takes the bytes out of the socket, so a poll would never report them. The
  // receive's completion finishes this operation.
  if (started.reads() && about.receiving == incoming::armed) return false;
  if (started.what() != operation::kind::connect) {
    poll_for(started);
    return false;
  }
  auto& submission = ask(descriptor);
  io_uring_prep_connect(&submission, descriptor, started.address(),
                        static_cast<socklen_t>(started.size()));
  submission.user_data = once_tag(started);
  flush();  // returns after the kernel has copied the address
  return false;
}

// The kernel holds no memory of the operation, so the reactor only has to forget it.
bool io_uring_reactor::cancel(operation& cancelled) noexcept {
  auto& about = known(cancelled.descriptor());
  auto& waiting = cancelled.reads() ? about.reader : about.writer;
  if (waiting != &cancelled) return false;
  waiting = nullptr;
  if (!cancelled.reads() && !has_own_request(cancelled)) about.given_up = true;
  stop(cancelled);
  cancelled.fail(ECANCELED);
  return true;
}

// Whether one request serves this pending operation and no other.
bool io_uring_reactor::has_own_request(const operation& pending) noexcept {
  const auto& about = known(pending.descriptor());
  if (pending.what() == operation::kind::receive) return about.receiving == incoming::off;
  if (pending.what() == operation::kind::send) return about.sending == none;
  return completes_once(pending);
}

// A multishot receive stays armed, and its data is kept for the next receive. An accept is
// cancelled, because it would open a descriptor that nobody asked for.
void io_uring_reactor::stop(const operation& asked) noexcept {
  if (has_own_request(asked)) return forget_once(asked);
  const bool accepting = asked.what() == operation::kind::accept &&
                         known(asked.descriptor()).receiving == incoming::armed;
  if (accepting) stop_listening_in(asked.descriptor(), request::accept);
}

// The kernel may still complete the request. The new turn number makes that completion stale.
void io_uring_reactor::forget_once(const operation& asked) noexcept {
  cancel_request(once_tag(asked));
  known(asked.descriptor()).epoch = epoch_;
  ++known(asked.descriptor()).turns[asked.reads() ? 1 : 0];
}

void io_uring_reactor::poll(time_point deadline, operation_list& finished) {
  if (returned_ > 0) io_uring_buf_ring_advance(buffer_ring_, std::exchange(returned_, 0));
  grew_ = false;
  if (!waiting_.empty()) [[unlikely]] {
    if (free_buffers() == 0) provide_more_buffers();  // what nobody reads holds all of them
    begin_waiting();
    if (!waiting_.empty() && free_buffers() > 0) deadline = at_once;
  }
  if (closed_unsent_ > 0) deadline = std::min(deadline, give_up_overdue());
  hurry_ = hurry_ && !tries_.empty();
  if (hurry_) deadline = at_once;
  bool rang_early;
  do {
    const bool sleeps = deadline != at_once && forgotten_.empty() && arm(deadline);
    must_poll_ = false;
    const unsigned messages = sleeps ? std::max(gather_.wanted(), least_gathered_) : 1;
    const int submitted = sleeps ? sleep(messages) : io_uring_submit_and_get_events(&ring_);
    note_submitted();
    if (submitted < 0) [[unlikely]] {
      if (refused(submitted) && forgotten_.empty()) throw_error(-submitted, "io_uring");
    }
    rang_ = deadline;
    came_ = 0;
    const unsigned harvested = harvest(finished);
    if (messages > 1) gather_.slept(came_);
    if (overflowed()) [[unlikely]]
      harvest_overflow(finished);
    conclude_tries(finished);
    full_poll_ = harvested >= many_completions ? harvested : 0;
    rang_early = harvested == 1 && sleeps && rang_ < deadline;
  } while (rang_early);
  for (auto& forgotten : forgotten_) forgotten.fail(ECANCELED);
  finished.splice_after(finished.last(), forgotten_);
}

// Submits and waits for the next completion, or for several messages. The timeout request of a
// deadline ends both waits.
inline int io_uring_reactor::sleep(unsigned messages) noexcept {
  if (messages == 1) [[likely]]
    return io_uring_submit_and_wait(&ring_, 1);
  return fibers_submit_and_gather(&ring_, messages,
                                  std::chrono::ceil<std::chrono::microseconds>(gather_.window()));
}

// Arms the timeout request for `deadline`. An earlier deadline stays armed: one wake-up too many is
// less work than a request for each deadline that is given up. False: `deadline` has passed.
bool io_uring_reactor::arm(time_point deadline) noexcept {
  using namespace std::chrono;
  if (deadline >= armed_) return true;
  const auto now = steady_clock::now();
  if (deadline <= now) return false;
  // The timeout is relative. The kernel takes an absolute time for one of the host's clock, and a
  // container may have another (a time namespace).
  const nanoseconds left = deadline - now;
  const auto whole = duration_cast<seconds>(left);
  auto& submission = next_submission();
  limit_ = {whole.count(), (left - whole).count()};
  const auto armed = tag(request::deadline, 0, 0);
  if (armed_ == when_something_happens) {
    io_uring_prep_timeout(&submission, &limit_, 0, 0);
    submission.user_data = armed;
  } else {
    io_uring_prep_timeout_update(&submission, &limit_, armed, 0);
    submission.flags |= IOSQE_CQE_SKIP_SUCCESS;  // its own completion would end the wait
    submission.user_data = tag(request::cancel, 0, 0);
  }
  armed_ = deadline;
  return true;
}

// Begins as many receives as there are buffers for, and not so many that the others wait long.
void io_uring_reactor::begin_waiting() noexcept {
  auto left = std::min(most_begun, free_buffers());
  while (left > 0 && !waiting_.empty()) {
    const auto next = waiting_.front();
    waiting_.pop_front();
    auto& about = known(next.descriptor);
    if (about.generation != next.generation || about.receiving != incoming::queued) continue;
    about.receiving = incoming::off;
    if (about.reader == nullptr) continue;
    begin_receive(next.descriptor);
    --left;
  }
}

void io_uring_reactor::interrupt() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(interrupt_, &one, sizeof one);
}

// --- completions -----------------------------------------------------------------------------

// Returns how many completions it handled.
unsigned io_uring_reactor::harvest(operation_list& finished) {
  unsigned count = 0;
  unsigned head;
  io_uring_cqe* completion;
  io_uring_for_each_cqe(&ring_, head, completion) {
    const auto what = *completion;
    io_uring_cq_advance(&ring_, 1);  // before the call, so that a throw does not repeat it
    completed(what, finished);
    ++count;
  }
  return count;
}

// Takes the completions for which the queue had no room: the failure of a try may be among them.
[[gnu::noinline]] void io_uring_reactor::harvest_overflow(operation_list& finished) {
  while (overflowed() && io_uring_get_events(&ring_) >= 0 && harvest(finished) > 0) {
  }
}

// A try that the kernel took in this poll and that left no completion has succeeded.
inline void io_uring_reactor::conclude_tries(operation_list& finished) {
  std::size_t count = 0;
  for (; count < tries_.size() && taken(tries_[count].number); ++count) {
    const auto [slot, number] = tries_[count];
    const auto& out = outgoing_[static_cast<std::size_t>(slot)];
    if (out.tried && out.number == number)
      send_completed(slot, out.descriptor, static_cast<int>(out.size), finished);
  }
  tries_.erase(tries_.begin(), tries_.begin() + static_cast<std::ptrdiff_t>(count));
}

void io_uring_reactor::completed(const io_uring_cqe& what, operation_list& finished) {
  const auto kind = static_cast<request>(what.user_data >> 56);
  const auto detail = static_cast<std::uint32_t>(what.user_data >> 32) & detail_mask;
  const auto descriptor = static_cast<int>(what.user_data & 0xffffffff);
  switch (kind) {
    case request::receive:
    case request::accept:
      if ((known(descriptor).generation & detail_mask) == detail) {
        return incoming_completed(kind, descriptor, what, finished);
      }
      if ((what.flags & IORING_CQE_F_BUFFER) != 0) {
        give_back(static_cast<int>(what.flags >> IORING_CQE_BUFFER_SHIFT));
      }
      if (kind == request::accept && what.res >= 0) ::close(what.res);
      return;
    case request::end:
      if ((known(descriptor).generation & detail_mask) == detail) end_came(descriptor, what.res);
      return;
    case request::send:
      return send_completed(static_cast<int>(detail), descriptor, what.res, finished);
    case request::once:
      return once_completed(detail, descriptor, what.res, finished);
    case request::cancel:
      return;
    case request::deadline:
      rang_ = std::exchange(armed_, when_something_happens);
      return;
    case request::interrupt:
      interrupted_ = true;
      if (refused(what.res)) throw_error(-what.res, "io_uring");  // the eventfd was closed
      if ((what.flags & IORING_CQE_F_MORE) == 0) {
        auto& submission = next_submission();
        io_uring_prep_poll_multishot(&submission, interrupt_, POLLIN);
        submission.user_data = what.user_data;
      }
      return;
  }
}

inline void io_uring_reactor::count_message(entry& from) noexcept {
  const auto round = gather_.round();
  gather_.came(std::exchange(from.round, round) != round);
  ++came_;
}

// A receive has left room in its buffer, or filled it.
void io_uring_reactor::note_size(entry& about, int result) noexcept {
  if (result == static_cast<int>(buffer_size)) {
    about.shorts = 0;
    about.streams = true;
  } else if (result > 0 && about.shorts < calm) {
    ++about.shorts;
  }
}

void io_uring_reactor::incoming_completed(request kind, int descriptor, const io_uring_cqe& what,
                                          operation_list& finished) {
  const bool starved = what.res == -ENOBUFS && kind == request::receive;
  const bool last = (what.flags & IORING_CQE_F_MORE) == 0;
  if (last) known(descriptor).receiving = incoming::off;
  if (what.res > 0 && kind == request::receive) count_message(known(descriptor));
  if (last || what.res == static_cast<int>(buffer_size)) [[unlikely]]
    note_size(known(descriptor), what.res);
  if (auto* waiting = known(descriptor).reader; copy_straight(known(descriptor), what)) {
    return finished.push_back(*waiting);
  }
  if (kind == request::accept && what.res >= 0) {
    accepted(descriptor, what.res);
  } else if (what.res > 0) {
    keep(descriptor, static_cast<int>(what.flags >> IORING_CQE_BUFFER_SHIFT),
         static_cast<std::uint32_t>(what.res));
  } else {
    if ((what.flags & IORING_CQE_F_BUFFER) != 0) {
      give_back(static_cast<int>(what.flags >> IORING_CQE_BUFFER_SHIFT));
    }
    auto& from = known(descriptor);
    if (what.res == 0) {
      from.ended = true;
    } else if (starved) {
      starve(descriptor);
    } else if (what.res != -ECANCELED && what.res != -ECONNABORTED) {
      from.receive_error = static_cast<std::int16_t>(-what.res);
    }
  }
  auto& from = known(descriptor);
  if (from.reader != nullptr && read_now(*from.reader)) {
    auto& done = *std::exchange(from.reader, nullptr);
    if (completes_once(done)) forget_once(done);
    finished.push_back(done);
  } else if (from.reader != nullptr && from.receiving == incoming::off && !starved) {
    listen_in(descriptor, kind);
  }
  const auto waiting = from.accepted ? static_cast<int>(from.accepted->size()) : from.unread;
  if (from.reader == nullptr && from.receiving == incoming::armed && waiting >= most_unread) {
    stop_listening_in(descriptor, kind);
  }
}

// The peer has ended the stream. An armed receive may have missed that; a new one does not. (A
// message in the socket's error queue completes the poll, too. It is no end.)
void io_uring_reactor::end_came(int descriptor, int events) noexcept {
  auto& about = known(descriptor);
  about.end = watch::over;
  if (events > 0 && (events & (POLLRDHUP | POLLHUP)) == 0) return;
  if (about.receiving == incoming::armed) stop_listening_in(descriptor, request::receive);
}

void io_uring_reactor::accepted(int descriptor, int connection) noexcept try {
  forget(connection);  // see adopt()
  at(connection);
  known(descriptor).accepted->push_back(connection);
} catch (const std::bad_alloc&) {
  ::close(connection);
}

// Keeps received bytes for a later receive. When they take more than half of the largest ring, they
// are copied aside. Without memory for the copy, they stay in the ring's buffer.
void io_uring_reactor::keep(int descriptor, int buffer, std::uint32_t size) noexcept {
  ++kept_;
  if (kept_ > most_buffers_ / 2) try {
      buffer = copy_aside(buffer, size);
      --kept_;
    } catch (const std::bad_alloc&) {
    }
  auto& to = known(descriptor);
  record_of(buffer) = {size, none};
  if (to.first_unread == none) {
    to.first_unread = buffer;
  } else {
    record_of(to.last_unread).next = buffer;
  }
  to.last_unread = buffer;
  ++to.unread;
}

void io_uring_reactor::send_completed(int slot, int descriptor, int result,
                                      operation_list& finished) {
  auto& out = outgoing_[static_cast<std::size_t>(slot)];
  auto& to = known(descriptor);
  const bool current = out.generation == to.generation;
  const bool tried = std::exchange(out.tried, false);
  if (result > 0) out.sent += static_cast<std::uint32_t>(result);
  const bool unfinished = result > 0 ? out.sent < out.size : tried && result == -EAGAIN;
  if (unfinished && current) return send_rest(descriptor, slot);
  free_outgoing_.push_back(slot);
  if (!current) {
    --closed_unsent_;
    out.limit = when_something_happens;
    return;
  }
  to.sending = none;
  to.given_up = false;
  if (result < 0) {
    to.send_error = static_cast<std::int16_t>(-result);
    to.send_error_told = false;
  }
  if (to.shut_when_sent) {
    to.shut_when_sent = false;
    ::shutdown(descriptor, SHUT_WR);
  }
  if (to.writer == nullptr || completes_once(*to.writer)) return;
  auto& next = *std::exchange(to.writer, nullptr);
  if (start_sending(next)) finished.push_back(next);
}

// A straight receive or send may find nothing: a message in the socket's error queue completes
// every poll at once. So a request that waits for bytes or room goes on.
void io_uring_reactor::once_completed(std::uint32_t turn, int descriptor, int result,
                                      operation_list& finished) {
  auto& about = known(descriptor);
  const bool reads = (turn & 1) != 0;
  if (turn != (turn_of(about, reads) & detail_mask)) return;  // it was cancelled
  auto& waiting = reads ? about.reader : about.writer;
  if (waiting == nullptr) return;
  auto& done = *waiting;
  const bool writes = done.what() == operation::kind::wait_writable;
  if (writes && result == -ETIME) return poll_for(done);
  if (writes && result == POLLRDHUP) return poll_later(done);
  if (result < 0) {
    done.fail(-result);
  } else if (done.what() == operation::kind::receive) {
    count_message(about);
    if (!receive_straight(done, about)) return begin_receive(descriptor);
  } else if (done.what() == operation::kind::send) {
    if (!send_straight(done, about)) send_copy(done, about);
  } else {
    done.finish(0);
  }
  waiting = nullptr;
  finished.push_back(done);
}

}  // namespace fibers
