// sample: what one server did while it was loaded, and when that says nothing about the server.
//
//     const load_sample seen = client.run(1s).front();
//     seen.messages_per_second();
//     seen.response_ns(99);                 // infinite if 2 % of the due messages got no reply
//     if (seen.client_is_the_limit()) ...   // a faster client would have measured more
#pragma once

#include <algorithm>
#include <bench/record/record.hpp>
#include <bench/statistics/histogram.hpp>
#include <cstdint>
#include <limits>
#include <vector>

namespace bench {

// A client that uses so much of its CPU is the limit, not the server.
inline constexpr double client_limit = 0.95;
// An open loop of which a server answers less than this share of the due messages saturates it.
inline constexpr double keeping_up = 0.99;

// A percentile with fewer than ten values above it would be a matter of chance. The maximum needs
// one value.
inline constexpr double fewest_above = 10;
inline bool enough_for(double percent, double values) {
  return percent >= 100 ? values > 0 : values * (100 - percent) / 100 >= fewest_above - 1e-6;
}

struct load_sample {
  double seconds = 0;
  std::int64_t messages = 0;  // whole replies, each compared byte by byte
  histogram latency_ns;  // closed loop: from sending to reply; open loop: from due time to reply
  double client_utilisation = 0;  // 0 to 1: share of a CPU that this thread used

  // Due in the requested duration and not answered. Closed loop: 0, unless the load ended early.
  std::int64_t unanswered = 0;

  // Open loop only. The histograms hold the messages that were due in the requested duration,
  // including those answered after it.
  std::int64_t due = 0;  // messages that became due during `seconds`
  histogram service_ns;  // service time: from sending to reply
  histogram late_ns;     // how late the client sent messages, by its own fault

  // Of a load from several hosts, what each measured; otherwise empty.
  std::vector<host_share> hosts;
  // Of such a load: the whole replies from quiet to quiet, so also before and after the timed part.
  std::int64_t messages_in_all = 0;

  double messages_per_second() const {
    return seconds > 0 ? static_cast<double>(messages) / seconds : 0;
  }
  double due_per_second() const { return seconds > 0 ? static_cast<double>(due) / seconds : 0; }
  double answered_share() const {
    return due > 0 ? std::min(1.0, static_cast<double>(messages) / static_cast<double>(due)) : 1;
  }
  // Messages that are under way at the end are not missing: as many as become due in the median
  // time. In a short run they would be more than 1 % of a server that keeps up.
  bool saturated() const {
    const auto all = static_cast<double>(due);
    if (static_cast<double>(unanswered) > (1 - keeping_up) * all) return true;
    const double under_way = due_per_second() * latency_ns.percentile(50) / 1e9;
    return static_cast<double>(messages) + under_way < keeping_up * all;
  }
  // The same, but does not let a queue that grows pass for messages under way: what comes first in
  // a short run tells how long a message takes without that queue.
  bool falls_behind() const {
    const auto all = static_cast<double>(due);
    const double under_way = due_per_second() * latency_ns.percentile(5) / 1e9;
    return saturated() || static_cast<double>(messages) + under_way < keeping_up * all;
  }

  // The messages that response_ns() is about: those with a reply and those without.
  double asked() const {
    return static_cast<double>(latency_ns.count()) + static_cast<double>(unanswered);
  }
  bool client_is_the_limit() const { return client_utilisation >= client_limit; }

  // Open loop: most of what the messages took to be answered is the delay of this client.
  // Where more than 1 % got no reply, the time is endless and the fault is the server's.
  bool client_is_late() const { return due > 0 && 2 * late_ns.percentile(99) > response_ns(99); }

  // Like latency_ns.percentile(), but a message without a reply counts as infinitely late.
  // Otherwise a server that answers only the half of the messages would look quick. NaN: no
  // message.
  double response_ns(double percent) const {
    const auto answered = static_cast<double>(latency_ns.count());
    const auto all = asked();
    if (all == 0) return std::numeric_limits<double>::quiet_NaN();
    if (percent * all > 100 * answered) return std::numeric_limits<double>::infinity();
    return latency_ns.percentile(percent * all / answered);
  }
};

// True if a host answers so much later than the others that what is said of all is a mixture. Hosts
// behind one switch are some microseconds apart, which is usual. `others_us`: their median.
inline bool answers_much_later(double own_us, double others_us) {
  constexpr double much = 1.25;
  constexpr double least_us = 100;
  return own_us > much * others_us && own_us - others_us > least_us;
}

// What several clients measured at the same time, as one. Of seconds and of the CPU it has the most
// that a client used: all of them are the limit as soon as one of them is. `hosts` stays empty.
inline load_sample sum_of(const std::vector<load_sample>& clients) {
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

// The share of the i-th of n clients in a whole that cannot be divided evenly.
inline int share_of(int whole, int n, int i) {
  return whole / n + (i < whole % n ? 1 : 0);
}

}  // namespace bench
