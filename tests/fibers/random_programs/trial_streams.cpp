#include <unistd.h>

#include <algorithm>
#include <atomic>

#include <tests/fibers/random_programs/trial.hpp>
#include <tests/fibers/raw_socket.hpp>

namespace random_programs {
namespace {

using boost::asio::buffer;
using fibers::clock;
using fibers::error_code;
namespace error = boost::asio::error;

// The byte that an end sends at that place of its stream.
char byte_at(int end, std::size_t place) {
  return static_cast<char>(place * 31 + place / 251 + static_cast<std::size_t>(end));
}

// An abstract name that no other listener has.
std::string fresh_name() {
  static std::atomic<int> made{0};
  return std::string{"\0fibers.random_programs.", 24} + std::to_string(::getpid()) + "." +
         std::to_string(++made);
}

// The high amounts do not fit into the buffers of the kernel, which the streams keep small.
std::size_t bytes_of(int amount) {
  return static_cast<std::size_t>(amount > 15 ? 30'000 : amount * amount);
}

constexpr int no_limit_from = 16;  // of a `limit`

}  // namespace

// On a real reactor, one of the streams is TCP.
void trial::open_streams() {
  const auto take = [&](int index, const auto& pair) {
    end_at(index).stream.assign(::dup(pair.near.get()));
    end_at(index + 1).stream.assign(::dup(pair.far.get()));
    for (auto* each : {&end_at(index).stream, &end_at(index + 1).stream}) {
      each->set_option(boost::asio::socket_base::send_buffer_size{1});
      each->set_option(boost::asio::socket_base::receive_buffer_size{1});
    }
  };
  take(0, local_pair{});
  simulated() ? take(2, local_pair{}) : take(2, tcp_pair{});
  name_ = fresh_name();
  listener_ = fibers::local::listener{name_};
}

bool trial::perform_on_stream(int self, const action& done) {
  const auto size = bytes_of(done.amount);
  switch (done.what) {
    case verb::accept:
      accept(self, done.amount);
      return true;
    case verb::connect:
      connect(self, done.amount);
      return true;
    default:
      break;
  }
  auto& end = end_at(done.object);
  if (end.closed) return true;
  switch (done.what) {
    case verb::write:
      for (std::size_t sent = 0, left = size; left > 0; left -= sent) {
        sent = write(self, done.object, left);
        if (sent == 0) break;
      }
      return true;
    case verb::read:
      read(self, done.object, size);
      return true;
    case verb::limit:
      end.limit.reset();
      end.stream.expires_never();
      if (done.amount < no_limit_from) {
        end.limit = clock::now() + units(done.amount);
        end.stream.expires_at(*end.limit);
      }
      return true;
    case verb::shutdown: {
      const in_call call{*this, self, end.shutting_down};
      error_code failed;
      end.shut = true;
      end.stream.shutdown(boost::asio::socket_base::shutdown_send, failed);
      return true;
    }
    case verb::close:
      end.closed = true;
      end.stream.close();
      return true;
    case verb::abort:
      ++end.aborts;
      end.stream.cancel();
      return true;
    default:
      return false;
  }
}

// Sends the next bytes of this end, or as many as there is room for. Returns how many. One fiber at
// a time writes, so that the book knows which.
std::size_t trial::write(int self, int index, std::size_t size) {
  auto& end = end_at(index);
  if (end.writing || end.closed) return 0;
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = byte_at(index, end.written + i);
  error_code failed;
  const int aborts = end.aborts;
  struct leaves {
    ~leaves() {
      end.writing = false;
      end.sending = 0;
    }
    end_book& end;
  } at_the_end{end};
  end.writing = true;
  end.refuses = end.shut && end.shutting_down == 0;
  end.sending = size;
  const in_call call{*this, self};
  const auto sent = end.stream.write_some(buffer(bytes), failed);
  end.written += sent;
  expect(sent <= size && (sent == 0) == failed.failed(), "write_some() counts wrong", self);
  if (failed) check_error(self, index, failed, call.begin, aborts);
  return sent;
}

// Receives the next bytes that the peer has sent.
void trial::read(int self, int index, std::size_t size) {
  auto& end = end_at(index);
  const int peer = index ^ 1;
  if (end.reading || size == 0) return;
  std::string bytes(size, '\0');
  error_code failed;
  const int aborts = end.aborts;
  struct leaves {
    ~leaves() { reading = false; }
    bool& reading;
  } at_the_end{end.reading};
  end.reading = true;
  const in_call call{*this, self};
  const auto received = end.stream.read_some(buffer(bytes), failed);
  expect((received == 0) == failed.failed(), "read_some() counts wrong", self);
  for (std::size_t i = 0; i < received; ++i) {
    if (bytes[i] == byte_at(peer, end.read + i)) continue;
    expect(false, "a byte is lost, doubled or another one", self);
    break;
  }
  end.read += received;
  expect(end.read <= end_at(peer).written + end_at(peer).sending, "a byte came from nowhere", self);
  if (failed) check_error(self, index, failed, call.begin, aborts);
}

// Whether something has happened that explains the error.
void trial::check_error(int self, int index, const error_code& failed, time_point begin,
                        int aborts) {
  auto& end = end_at(index);
  const auto& peer = end_at(index ^ 1);
  auto& broken = broken_[static_cast<std::size_t>(index / 2)];
  const bool faults = simulated() && program_.resets > 0;
  const auto now = clock::now();
  if (failed == error::timed_out) {
    const bool due = end.limit && *end.limit <= now;
    const bool on_time = due && (!simulated() || now == std::max(begin, *end.limit));
    expect(on_time || faults, "a stream timed out at another time", self);
    if (due) note_due(std::max(begin, *end.limit));
    if (!on_time) broken = true;
    end.timed_out = true;
  } else if (failed == error::operation_aborted || failed == error::bad_descriptor) {
    expect(end.closed || end.aborts != aborts, "a call was aborted for no reason", self);
  } else if (failed == error::eof) {
    expect(peer.shut || peer.closed || broken || faults, "a stream ended for no reason", self);
    end.found_end = true;
  } else if (failed == error::connection_reset || failed == error::broken_pipe) {
    broken |= faults;
    expect(end.shut || peer.closed || broken, "a connection broke for no reason", self);
    if (peer.closed) broken = true;  // bytes may be lost
  } else if (failed.value() == EBUSY) {
    expect(end.shutting_down > 0 && !simulated(), "a stream is busy for no reason", self);
  } else {
    expect(false, ("an error without a reason: " + failed.message()).c_str(), self);
  }
}

// The same for a stream of which the book knows nothing else.
void trial::check_timeout(int self, const error_code& failed, time_point begin, int amount) {
  if (failed != error::timed_out) return;
  const bool fault = simulated() && program_.resets > 0 && clock::now() != begin + units(amount);
  if (!fault) expect_due(self, begin, amount);
}

void trial::accept(int self, int amount) {
  if (std::exchange(accepting_, true)) return;
  struct leaves {
    ~leaves() { accepting = false; }
    bool& accepting;
  } at_the_end{accepting_};
  error_code failed;
  auto begin = clock::now();
  fibers::local::stream stream;
  {
    const in_call call{*this, self};
    listener_.expires_after(units(amount));
    stream = listener_.accept(failed);
  }
  if (failed) {
    expect(failed == error::timed_out, "accept() fails", self);
    return expect_due(self, begin, amount);
  }
  unsigned char question = 0;
  begin = clock::now();
  stream.expires_after(units(amount));
  const in_call call{*this, self};
  if (stream.read_some(buffer(&question, 1), failed) == 0) {
    check_timeout(self, failed, begin, amount);
    return;
  }
  const auto asked = std::ranges::find(asked_, question);
  if (asked == asked_.end()) return complain("a listener gets what nobody has sent");
  asked_.erase(asked);
  const unsigned char answer = static_cast<unsigned char>(question + 1);
  stream.write_some(buffer(&answer, 1), failed);
}

void trial::connect(int self, int amount) {
  error_code failed;
  const in_call call{*this, self};
  auto stream = fibers::local::connect_for(name_, units(amount), failed);
  if (failed) {
    const bool faults = program_.resets > 0 || program_.delays > 0;
    expect(amount == 0 || faults || !simulated(), "connect() fails", self);
    return check_timeout(self, failed, call.begin, amount);
  }
  const auto question = static_cast<unsigned char>(++tickets_);
  asked_.push_back(question);
  const auto begin = clock::now();
  stream.expires_after(units(amount));
  if (stream.write_some(buffer(&question, 1), failed) == 0) return;
  unsigned char answer = 0;
  if (stream.read_some(buffer(&answer, 1), failed) == 1) {
    expect(answer == static_cast<unsigned char>(question + 1), "the answer is another one's", self);
  } else {
    check_timeout(self, failed, begin, amount);
  }
}

// A reader that has found the end of a stream has read all that was written.
void trial::check_streams() {
  for (int i = 0; i < ends; ++i) {
    const auto &end = end_at(i), &peer = end_at(i ^ 1);
    const bool lossy = broken_[static_cast<std::size_t>(i / 2)] ||
                       (!simulated() && peer.timed_out) || program_.resets > 0;
    if (end.found_end && !lossy && end.read != peer.written) {
      complain("end " + std::to_string(i) + " has read " + std::to_string(end.read) + " of " +
               std::to_string(peer.written) + " bytes");
    }
  }
}

// An end at which a fiber waits although it need not; empty if there is none.
std::string trial::neglected_streams() {
  for (int i = 0; i < ends; ++i) {
    const auto &end = end_at(i), &peer = end_at(i ^ 1);
    const bool readable = peer.written > end.read || peer.shut || peer.closed;
    if (end.reading && readable) return "a fiber waits to read at end " + std::to_string(i);
    const bool writable = peer.read == end.written || peer.closed || end.refuses;
    if (end.writing && writable) return "a fiber waits to write at end " + std::to_string(i);
    if (end.closed && (end.reading || end.writing)) {
      return "a fiber waits at end " + std::to_string(i) + ", which is closed";
    }
  }
  return {};
}

void trial::close_streams() {
  for (auto& each : ends_) {
    if (each.stream.is_open()) each.stream.expires_after(duration::zero());  // drops what is unsent
    each.stream.close();
  }
  listener_.close();
}

}  // namespace random_programs
