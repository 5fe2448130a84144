#include <bench/load/sample.hpp>

namespace bench {

load_sample sum_of(const std::vector<load_sample>& clients) {
  load_sample sum;
  for (const auto& each : clients) {
    sum.seconds = std::max(sum.seconds, each.seconds);
    sum.client_utilisation = std::max(sum.client_utilisation, each.client_utilisation);
    sum.messages += each.messages;
    sum.messages_in_all += each.messages_in_all;
    sum.unanswered += each.unanswered;
    sum.due += each.due;
    sum.latency_ns.merge(each.latency_ns);
    sum.service_ns.merge(each.service_ns);
    sum.late_ns.merge(each.late_ns);
  }
  return sum;
}

int share_of(int whole, int n, int i) {
  return whole / n + (i < whole % n ? 1 : 0);
}

}  // namespace bench
