// floor_fields: takes structures out of what each receive brought.
#include <bench/contract/structures.hpp>
#include <bench/fields/purpose.hpp>
#include <bench/floor/run_server.hpp>

#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr std::size_t receive_bytes = 65536;

class fields_service : public bench::floor_service {
 public:
  explicit fields_service(std::chrono::nanoseconds injected) : injected_{injected} {}

  bench::floor_answer answer(int fd, std::string_view received) override {
    answers_.clear();
    auto& peer = peer_of(fd);
    if (!peer.begun.empty()) received = peer.begun.append(received);
    for (bench::structure next; take(received, next);)
      if (const auto digest = peer.owed.after(next)) {
        if (injected_.count() > 0) bench::spend_cpu(injected_);
        answers_.append(digest->data(), digest->size());
      }
    peer.begun = std::string{received};
    return {answers_};
  }

  // A structure has at least 26 bytes.
  std::size_t most_answer(std::size_t received) const override { return received; }

  void forget(int fd) override { peer_of(fd) = {}; }

 private:
  struct connection {
    std::string begun;  // a structure whose end has not come
    bench::digests owed;
  };

  connection& peer_of(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (peers_.size() <= index) peers_.resize(index + 1);
    return peers_[index];
  }

  // Removes a structure from the front of `bytes`. False: it is not there whole.
  static bool take(std::string_view& bytes, bench::structure& into) {
    auto rest = bytes;
    const auto copy = [&](void* value, std::size_t size) {
      if (rest.size() < size) return false;
      std::memcpy(value, rest.data(), size);
      rest.remove_prefix(size);
      return true;
    };
    const auto copy_text = [&](bench::short_text& text) {
      return copy(&text.length, 1) && copy(text.bytes.data(), text.length);
    };
    const bool whole = copy(&into.kind, 1) && copy(&into.flags, 1) && copy(&into.port, 2) &&
                       copy(&into.id, 4) && copy(&into.time, 8) && copy(&into.value, 8) &&
                       copy_text(into.name) && copy_text(into.note);
    if (whole) bytes = rest;
    return whole;
  }

  std::chrono::nanoseconds injected_;
  std::string answers_;
  std::vector<connection> peers_;  // index: descriptor
};

}  // namespace

int main(int argc, char** argv) {
  return bench::run_floor(
      argc, argv, {.name = "floor_fields", .echoes = false, .purpose = bench::fields_purpose},
      [](const bench::server_options& options) -> std::unique_ptr<bench::floor_service> {
        return std::make_unique<fields_service>(options.inject_ns);
      },
      [](const bench::server_options&) { return receive_bytes; });
}
