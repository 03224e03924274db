// Bare libpq in pipeline mode on the workloads of scripts/bench database: the limit that a pool can
// be measured by. One thread, no values made of the results. Reads go over one connection, what
// waits for a disk or a row over all.
//
//   bare_database_loop [--shared-sync] URL w1|w2|w3|w4 SECONDS CALLERS CONNECTIONS
//
// --shared-sync sends one Sync for as many statements as wait together.
#include "tests/bench/workloads.hpp"

#include <libpq-fe.h>

#include <array>
#include <cstdlib>
#include <deque>
#include <memory>
#include <poll.h>
#include <random>
#include <string>
#include <utility>

namespace {

using namespace millrace::bench;

void check(PGconn* connection, bool good) {
  if (good)
    return;
  std::fprintf(stderr, "%s\n", PQerrorMessage(connection));
  std::exit(69);  // NOLINT(concurrency-mt-unsafe): nothing else runs
}

// One connection and the calls that are under way on it, oldest first.
class Line {
public:
  Line(const char* url, Workload workload, bool shared)
    : connection_{PQconnectdb(url), &PQfinish}, workload_{workload}, shared_{shared} {
    check(raw(), PQstatus(raw()) == CONNECTION_OK);
    prepare("w1", select_by_key);
    prepare("w2", loyalty_query);
    prepare("w3", insert_event);
    prepare("lock", lock_customer);
    prepare("update", update_customer);
    prepare("begin", "BEGIN");
    prepare("commit", "COMMIT");
    check(raw(), PQenterPipelineMode(raw()) == 1 && PQsetnonblocking(raw(), 1) == 0);
  }

  void call(int key, Clock::time_point began) {
    const auto text = std::to_string(key);
    const bool transaction = workload_ == Workload::w4;
    if (transaction) {
      send("begin", {});
      send("lock", {text.c_str()});
      check(raw(), PQpipelineSync(raw()) == 1);
      keys_.push_back(text);
    } else if (workload_ == Workload::w2) {
      send("w2", {text.c_str(), first_day, last_day});
    } else if (workload_ == Workload::w3) {
      send("w3", {text.c_str(), note});
    } else {
      send("w1", {text.c_str()});
    }
    began_.push_back(began);
    ++unsynced_;
    if (!shared_ && !transaction)
      sync();
  }

  void sync() {
    if (unsynced_ > 0 && workload_ != Workload::w4) {
      check(raw(), PQpipelineSync(raw()) == 1);
      groups_.push_back(std::exchange(unsynced_, 0));
    }
    check(raw(), PQflush(raw()) >= 0);
  }

  // Takes what has come in. `done(began)` for each call that ended.
  template <class Done>
  void take(Done&& done) {
    check(raw(), PQconsumeInput(raw()) == 1);
    while (!began_.empty() && PQisBusy(raw()) == 0) {
      PGresult* result = PQgetResult(raw());
      if (result == nullptr)
        continue;
      const auto status = PQresultStatus(result);
      check(raw(), status == PGRES_PIPELINE_SYNC || status == PGRES_TUPLES_OK
                     || status == PGRES_COMMAND_OK);
      PQclear(result);
      if (status != PGRES_PIPELINE_SYNC)
        continue;
      if (workload_ == Workload::w4 && !keys_.empty()) {
        send("update", {keys_.front().c_str()});
        send("commit", {});
        check(raw(), PQpipelineSync(raw()) == 1 && PQflush(raw()) >= 0);
        keys_.pop_front();
        continue;
      }
      int ended = 1;
      if (workload_ != Workload::w4) {
        ended = groups_.front();
        groups_.pop_front();
      }
      for (; ended > 0; --ended) {
        const auto began = began_.front();
        began_.pop_front();
        done(began);
      }
    }
    check(raw(), PQflush(raw()) >= 0);
  }

  int socket() const { return PQsocket(raw()); }

private:
  PGconn* raw() const { return connection_.get(); }

  void prepare(const char* name, const char* sql) {
    PGresult* result = PQprepare(raw(), name, sql, 0, nullptr);
    check(raw(), PQresultStatus(result) == PGRES_COMMAND_OK);
    PQclear(result);
  }

  void send(const char* name, std::initializer_list<const char*> values) {
    check(raw(), PQsendQueryPrepared(raw(), name, static_cast<int>(values.size()), values.begin(),
                                     nullptr, nullptr, 0)
                   == 1);
  }

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_{nullptr, &PQfinish};
  Workload workload_;
  bool shared_;
  std::deque<Clock::time_point> began_;
  std::deque<int> groups_;
  std::deque<std::string> keys_;
  int unsynced_ = 0;

public:
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() = default;
};

}  // namespace

int main(int argc, char** argv) {
  const bool shared = argc > 1 && std::string_view{argv[1]} == "--shared-sync";
  const auto arguments = std::vector<std::string>{argv + 1 + (shared ? 1 : 0), argv + argc};
  if (arguments.size() != 5 || workload_of(arguments[1]) == Workload::unknown)
    return 64;
  const auto workload = workload_of(arguments[1]);
  const double seconds = std::atof(arguments[2].c_str());
  const int callers = std::atoi(arguments[3].c_str());
  const bool reads = workload == Workload::w1 || workload == Workload::w2;
  const int connections = reads ? 1 : std::atoi(arguments[4].c_str());
  const int keys = workload == Workload::w2 ? buyers : customers;

  std::vector<std::unique_ptr<Line>> lines;
  std::vector<pollfd> polled;
  for (int i = 0; i < connections; ++i) {
    lines.push_back(std::make_unique<Line>(arguments[0].c_str(), workload, shared));
    polled.push_back({lines.back()->socket(), POLLIN, 0});
  }
  std::mt19937 random{1};
  std::uniform_int_distribution<int> key{1, keys};
  // A transaction holds its connection, so no more callers than connections are under way.
  const int under_way = workload == Workload::w4 ? std::min(callers, connections) : callers;
  for (int i = 0; i < under_way; ++i)
    lines[static_cast<std::size_t>(i % connections)]->call(key(random), Clock::now());
  for (auto& line : lines)
    line->sync();

  std::vector<float> seen;
  constexpr double warm_up = 0.3;
  const auto start = Clock::now();
  double at = 0;
  while ((at = std::chrono::duration<double>(Clock::now() - start).count()) < warm_up + seconds) {
    poll(polled.data(), polled.size(), 1000);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if ((polled[i].revents & POLLIN) == 0)
        continue;
      int ended = 0;
      lines[i]->take([&](Clock::time_point began) {
        ++ended;
        if (at >= warm_up)
          seen.push_back(microseconds_since(began));
      });
      for (; ended > 0; --ended)
        lines[i]->call(key(random), Clock::now());
      lines[i]->sync();
    }
  }
  print(seen, seconds);
  return 0;
}
