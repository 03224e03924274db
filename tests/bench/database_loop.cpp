// The pool of database actors on the workloads of scripts/bench database: so many independent
// callers, each of which asks again when it was answered.
//
//   database_loop [--no-batching] URL w1|w2|w3|w4|w5|w6|w7 SECONDS CALLERS CONNECTIONS
#include "actors/caf.hpp"
#include "actors/db/directory.hpp"
#include "actors/db/spawn.hpp"
#include "connectors/asio/reactor.hpp"
#include "connectors/sdk/bulk.hpp"
#include "connectors/sdk/connector.hpp"
#include "tests/bench/workloads.hpp"

#include <atomic>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>

namespace millrace::postgres {
extern const sdk::Connector connector;
}

namespace {

using namespace millrace;
using namespace millrace::bench;

// What the callers share. They end by themselves when the time is over.
struct Run {
  actors::DatabaseHandle pool;
  Workload workload;
  Clock::time_point from;
  Clock::time_point until;
  std::shared_ptr<const std::vector<sdk::Parameters>> rows;  // of a COPY
  std::atomic<int> open = 0;
  std::atomic<bool> failed = false;
};

class Caller {
public:
  Caller(Run& run, unsigned seed)
    : run_{run}, random_{seed}, key_{1, run.workload == Workload::w2 ? buyers : customers} {}

  void next() {
    began_ = Clock::now();
    if (began_ >= run_.until || run_.failed) {
      run_.open.fetch_sub(1);
      run_.open.notify_one();
      return;
    }
    const sdk::Value key{key_(random_)};
    switch (run_.workload) {
    case Workload::w1:
      execute(select_by_key, {key});
      break;
    case Workload::w2:
      execute(loyalty_query, {key, sdk::Value{first_day}, sdk::Value{last_day}});
      break;
    case Workload::w3:
      execute(insert_event, {key, sdk::Value{note}});
      break;
    case Workload::w5:
      execute(many_rows, {});
      break;
    case Workload::w6:
      copy();
      break;
    default:
      transact(key);
    }
  }

  std::vector<float>& seen() { return seen_; }

private:
  void execute(const char* sql, sdk::Parameters parameters) {
    run_.pool.execute({.sql = sql, .sets = {std::move(parameters)}},
                      [this](const actors::ExecuteReply& reply) {
                        if (const auto& result = reply.results.front(); !result)
                          fail(result.error());
                        finish();
                      });
  }

  void transact(const sdk::Value& key) {
    run_.pool.begin({}, [this, key](sdk::Result<actors::SessionHandle> begun) {
      if (!begun) {
        fail(begun.error());
        finish();
        return;
      }
      session_ = std::make_unique<actors::SessionHandle>(std::move(*begun));
      session_->execute({.sql = lock_customer, .sets = {{key}}},
                        [this, key](const actors::ExecuteReply&) {
                          const auto session = *session_;
                          session.execute({.sql = update_customer, .sets = {{key}}},
                                          [](const actors::ExecuteReply&) {});
                          session.commit([this](const sdk::Status& status) {
                            if (!status)
                              fail(status.error());
                            session_.reset();
                            finish();
                          });
                        });
    });
  }

  // As copyIn does it: BEGIN, COPY and COMMIT.
  void copy() {
    run_.pool.begin({}, [this](sdk::Result<actors::SessionHandle> begun) {
      if (!begun) {
        fail(begun.error());
        finish();
        return;
      }
      session_ = std::make_unique<actors::SessionHandle>(std::move(*begun));
      sdk::Statement statement{.sql = "COPY copied"};
      statement.bulk = std::make_shared<const sdk::BulkRows>(sdk::BulkRows{
        "copied", {"id", "name", "price", "at", "amount"}, run_.rows, 0, run_.rows->size()});
      session_->execute(std::move(statement), [](const actors::ExecuteReply&) {});
      session_->commit([this](const sdk::Status& status) {
        if (!status)
          fail(status.error());
        session_.reset();
        finish();
      });
    });
  }

  void fail(const sdk::Error& error) {
    if (!run_.failed.exchange(true))
      std::fprintf(stderr, "%s\n", error.to_string().c_str());
  }

  void finish() {
    if (began_ >= run_.from)
      seen_.push_back(microseconds_since(began_));
    next();
  }

  Run& run_;
  std::mt19937 random_;
  std::uniform_int_distribution<int> key_;
  std::unique_ptr<actors::SessionHandle> session_;
  Clock::time_point began_;
  std::vector<float> seen_;
};

// Requests come 2,000 a second, whether or not the ones before were answered. Those of the first
// moments only warm up.
std::vector<float> open_loop(Run& run, Clock::duration warm_up, Clock::duration span) {
  std::mt19937 random{1};
  std::uniform_int_distribution<int> key{1, customers};
  const auto begin = run.from - warm_up;
  std::vector<float> seen(static_cast<std::size_t>((warm_up + span) / open_loop_pause));
  for (std::size_t i = 0; i < seen.size(); ++i) {
    std::this_thread::sleep_until(begin + static_cast<int>(i) * open_loop_pause);
    run.open.fetch_add(1);
    run.pool.execute(
      {.sql = select_by_key, .sets = {{sdk::Value{key(random)}}}},
      [&run, &took = seen[i], began = Clock::now()](const actors::ExecuteReply& reply) {
        if (!reply.results.front())
          run.failed = true;
        took = microseconds_since(began);
        run.open.fetch_sub(1);
        run.open.notify_one();
      });
  }
  for (int open = run.open; open > 0; open = run.open)
    run.open.wait(open);
  seen.erase(seen.begin(), seen.begin() + warm_up / open_loop_pause);
  return seen;
}

std::shared_ptr<const std::vector<sdk::Parameters>> make_rows() {
  auto rows = std::make_shared<std::vector<sdk::Parameters>>();
  for (int i = 0; i < rows_at_once; ++i)
    rows->push_back({sdk::Value{i}, sdk::Value{"name of " + std::to_string(i)},
                     sdk::Value{i * 0.25}, sdk::Value{"2026-01-02T03:04:05.25Z"},
                     sdk::Value{i % 100}});
  return rows;
}

struct Config : caf::actor_system_config {
  Config() { actors::configure_scheduler(*this, 2); }
};

}  // namespace

int main(int argc, char** argv) {
  const bool batching = argc < 2 || std::string_view{argv[1]} != "--no-batching";
  if (!batching) {
    --argc;
    ++argv;
  }
  if (argc != 6 || workload_of(argv[2]) == Workload::unknown)
    return 64;
  const auto parsed = actors::settings_of_url(argv[1]);
  if (!parsed)
    return 64;
  const auto settings = std::make_shared<sdk::DatabaseSettings>(**parsed);
  settings->pool.max_size = static_cast<unsigned>(std::atoi(argv[5]));
  settings->batching = batching;
  const auto reactor = asio::make_reactor({.threads = 1});
  Config config;
  caf::actor_system system{config};
  const auto pool = actors::spawn_pool(
    system,
    {.driver = postgres::connector.database(), .settings = settings, .reactor = reactor.get()});
  if (!pool) {
    std::fprintf(stderr, "%s\n", pool.error().to_string().c_str());
    return 78;
  }
  const double seconds = std::atof(argv[3]);
  const auto span = [](double length) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(length));
  };
  const auto warm_up = span(0.3);
  const auto from = Clock::now() + warm_up;
  Run run{*pool, workload_of(argv[2]), from, from + span(seconds), make_rows()};
  std::vector<std::unique_ptr<Caller>> callers;
  const int count = run.workload == Workload::w7 ? 0 : std::atoi(argv[4]);
  callers.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    callers.push_back(std::make_unique<Caller>(run, static_cast<unsigned>(i)));
  run.open = static_cast<int>(callers.size());
  for (auto& caller : callers)
    caller->next();
  for (int open = run.open; open > 0; open = run.open)
    run.open.wait(open);
  std::vector<float> seen;
  if (run.workload == Workload::w7)
    seen = open_loop(run, warm_up, span(seconds));
  pool->close();
  for (auto& caller : callers)
    seen.insert(seen.end(), caller->seen().begin(), caller->seen().end());
  print(seen, seconds);
  return run.failed ? 1 : 0;
}
