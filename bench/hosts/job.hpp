// job: generator_job, the processes that mpirun starts on the hosts of a load.
//
//     link_listener meeting;
//     generator_job job{wanted, meeting};          // returns at once
//     auto rank_0 = meeting.accept(100ms);
//     if (job.has_ended()) ... job.reason()        // "b: exited on signal 9 (Killed)"
//
// mpirun ends all processes of a job when one of them ends early. A host that is cut off would hold
// it up for minutes, and not even SIGTERM would end it; so its connections have keepalives of a few
// seconds, and stop() kills it after a grace.
#pragma once

#include <sys/types.h>

#include <bench/hosts/diagnosis.hpp>
#include <bench/hosts/launcher.hpp>
#include <bench/hosts/link.hpp>
#include <bench/hosts/request.hpp>
#include <bench/server/output.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// Why this build cannot load from other hosts: what is missing and how to get it. Empty: it can.
std::string why_no_generators();

// The host of each rank. Rank 0 is on this host.
std::vector<std::string> hosts_by_rank(const hosts_request& wanted);

// What the output of mpirun says about the end of a job, as one line that names the host. Empty: it
// names none. `by_rank`: as hosts_by_rank().
std::string reason_in(const std::vector<std::string>& output,
                      const std::vector<std::string>& by_rank);

// A generator prints this word, its host and its pid when it starts.
inline constexpr std::string_view sign_of_life = "generator";

class generator_job {
 public:
  // Rank 0 will connect to `meeting`. On this host the processes may use `cpus`; empty: those of
  // this thread. Throws usage_error if the launcher is no program.
  generator_job(const hosts_request& wanted, const link_listener& meeting,
                const std::vector<int>& cpus);
  ~generator_job() { stop(); }
  generator_job(const generator_job&) = delete;
  generator_job& operator=(const generator_job&) = delete;

  bool has_ended();

  // What mpirun has said until now: see reason_in(). Of a job that has ended and does not say why,
  // the hosts on which a generator was missing.
  std::string reason();

  // The last line that mpirun or one of its processes has printed.
  std::string last_words();

  // What the hosts say when they are asked: see diagnose().
  std::string diagnosis();

  // Waits until it has ended by itself; false: it has not within `longest`.
  bool wait(std::chrono::milliseconds longest);

  // Ends it: SIGTERM, after a second SIGKILL. Returns when no process of it is left on this host.
  void stop();

 private:
  void listen();
  pids_by_host generators() const;
  std::string missing() const;
  bool some_have_begun() const;

  launcher shell_;
  std::vector<std::string> by_rank_;
  server_output output_;
  server_output errors_;
  std::vector<std::string> said_;
  pid_t pid_ = -1;
};

}  // namespace bench
