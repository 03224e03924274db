// What the pool of database actors keeps in memory: of 10,000 requests that wait because every
// connection is held, and of a result of ten million rows that is streamed.
//
//   database_memory URL [ROWS]
//
// Prints one line of JSON: {"waiting_mib": …, "rows_per_second": …, "stream_mib": …}.
#include "actors/caf.hpp"
#include "actors/db/directory.hpp"
#include "actors/db/spawn.hpp"
#include "connectors/asio/reactor.hpp"
#include "connectors/sdk/connector.hpp"
#include "connectors/sdk/row_stream.hpp"
#include "tests/bench/workloads.hpp"

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <unistd.h>
#include <utility>

namespace millrace::postgres {
extern const sdk::Connector connector;
}

namespace {

using namespace millrace;
using namespace millrace::bench;

constexpr int requests = 10'000;
constexpr unsigned connections = 2;

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(69);
}

/// In MiB, of this process.
double resident() {
  std::ifstream in{"/proc/self/statm"};
  long pages = 0;
  in >> pages >> pages;
  return static_cast<double>(pages * ::sysconf(_SC_PAGESIZE)) / (1024 * 1024);
}

actors::SessionHandle begin(const actors::DatabaseHandle& pool) {
  std::promise<sdk::Result<actors::SessionHandle>> begun;
  pool.begin(
    {}, [&](sdk::Result<actors::SessionHandle> session) { begun.set_value(std::move(session)); });
  auto session = begun.get_future().get();
  if (!session)
    fail(session.error().to_string());
  return std::move(*session);
}

void end(const actors::SessionHandle& session) {
  std::promise<void> ended;
  session.rollback([&](const sdk::Status&) { ended.set_value(); });
  ended.get_future().get();
}

double waiting(const actors::DatabaseHandle& pool) {
  std::vector<actors::SessionHandle> held;
  for (unsigned i = 0; i < connections; ++i)
    held.push_back(begin(pool));
  const auto before = resident();
  std::atomic<int> answered = 0;
  for (int i = 0; i < requests; ++i)
    pool.execute({.sql = select_by_key, .sets = {{sdk::Value{i}}}},
                 [&answered](const actors::ExecuteReply&) {
                   answered.fetch_add(1);
                   answered.notify_one();
                 });
  // Comes behind all of them.
  std::promise<std::size_t> counted;
  pool.pool_info([&](const actors::PoolInfo& info) { counted.set_value(info.waiting); });
  const auto found = counted.get_future().get();
  const auto after = resident();
  if (found < requests || answered != 0)
    fail("only " + std::to_string(found) + " requests wait");
  for (const auto& session : held)
    end(session);
  for (int done = answered; done < requests; done = answered)
    answered.wait(done);
  return after - before;
}

/// Pieces on their way from the wire's thread to ours.
class Pieces {
public:
  void put(std::unique_ptr<sdk::RawResult> piece) {
    const std::lock_guard lock{mutex_};
    waiting_.push_back(std::move(piece));
    changed_.notify_one();
  }

  std::unique_ptr<sdk::RawResult> get() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return !waiting_.empty(); });
    auto piece = std::move(waiting_.front());
    waiting_.pop_front();
    return piece;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<sdk::RawResult>> waiting_;
};

std::pair<double, double> stream(const actors::DatabaseHandle& pool, std::int64_t rows) {
  Pieces pieces;
  const auto session = begin(pool);
  sdk::Statement statement{
    .sql = "SELECT i AS id, 'name of ' || i AS name, i * 0.25::float8 AS price, now() AS at, "
           "(i % 100)::int4 AS amount FROM generate_series(1, $1::int8) i",
    .sets = {{sdk::Value{rows}}}};
  const auto taken = std::make_shared<sdk::RowStream>(
    sdk::RowStream::Sizes{},
    [&pieces](std::unique_ptr<sdk::RawResult> piece) { pieces.put(std::move(piece)); });
  statement.stream = taken;
  const auto start = Clock::now();
  session.execute(std::move(statement), [](const actors::ExecuteReply& reply) {
    if (!reply.results.front())
      fail(reply.results.front().error().to_string());
  });
  double most = 0;
  for (std::int64_t seen = 0; seen < rows;) {
    const auto decoded = pieces.get()->decode();
    if (!decoded)
      fail(decoded.error().to_string());
    seen += static_cast<std::int64_t>(decoded->rows.size());
    taken->taken();
    most = std::max(most, resident());
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  end(session);
  return {static_cast<double>(rows) / seconds, most};
}

struct Config : caf::actor_system_config {
  Config() { actors::configure_scheduler(*this, 2); }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2)
    return 64;
  const auto parsed = actors::settings_of_url(argv[1]);
  if (!parsed)
    return 64;
  const auto settings = std::make_shared<sdk::DatabaseSettings>(**parsed);
  settings->pool.max_size = connections;
  settings->pool.max_waiting = requests;
  const auto reactor = asio::make_reactor({.threads = 1});
  Config config;
  caf::actor_system system{config};
  const auto pool = actors::spawn_pool(
    system,
    {.driver = postgres::connector.database(), .settings = settings, .reactor = reactor.get()});
  if (!pool)
    fail(pool.error().to_string());
  // The stream first: what a burst of requests leaves to the allocator is not the stream's.
  const auto [rate, peak] = stream(*pool, argc > 2 ? std::atoll(argv[2]) : 10'000'000);
  const auto queued = waiting(*pool);
  std::printf("{\"waiting_mib\": %.1f, \"rows_per_second\": %.0f, \"stream_mib\": %.1f}\n", queued,
              rate, peak);
  pool->close();
  reactor->stop();
  return 0;
}
