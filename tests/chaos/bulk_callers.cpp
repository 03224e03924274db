// Callers of the chaos who want more at a time: several statements in one, rows in bulk, and large
// results row by row.
#include "connectors/sdk/bulk.hpp"
#include "connectors/sdk/row_stream.hpp"
#include "tests/chaos/answer.hpp"
#include "tests/chaos/callers.hpp"

#include <optional>
#include <utility>

namespace millrace::actors {

namespace {

using sdk::Value;
using Clock = std::chrono::steady_clock;

/// Adds up the rows of a stream as they come; on the wire's thread.
class Sum {
public:
  void take(std::unique_ptr<sdk::RawResult> piece) {
    const auto decoded = piece->decode();
    const std::lock_guard lock{mutex_};
    if (!decoded)
      broken_ = true;
    else
      for (const auto& row : decoded->rows.items())
        broken_ = row.find("i")->as_integer() != ++rows_ || broken_;
  }

  /// How many came; none where they were not what was asked for.
  std::optional<std::int64_t> rows() const {
    const std::lock_guard lock{mutex_};
    return broken_ ? std::nullopt : std::optional{rows_};
  }

private:
  mutable std::mutex mutex_;
  std::int64_t rows_ = 0;
  bool broken_ = false;
};

}  // namespace

// One row in each of two tables: the count in the one is always that of the other.
void Callers::all_or_nothing(int caller, std::int64_t number, CallerLedger& ledger) {
  const auto began = Clock::now();
  Answer<ExecuteReply> reply{violations_};
  pool_.execute_batch(
    {{.sql = "UPDATE counters SET batches = batches + 1 WHERE caller = $1",
      .sets = {{Value{caller}}}},
     {.sql = "INSERT INTO pairs VALUES ($1, $2)", .sets = {{Value{caller}, Value{number}}}}},
    reply.callback());
  const auto results = reply.get().results;
  ledger.took(Clock::now() - began);
  if (results.size() != 2) {
    violations_.add("not one result for each statement of a batch");
    return;
  }
  for (const auto& result : results) {
    if (!result)
      look_at(result.error(), "a batch");
  }
  if (results[0].has_value() != results[1].has_value())
    violations_.add("one statement of a batch worked and the other did not");
  const auto* error = error_in(results[0]);
  if (error != nullptr && error_in(results[1]) != nullptr
      && error->outcome_unknown() != results[1].error().outcome_unknown())
    violations_.add("one statement of a batch is unknown and the other is not");
  ledger.batches.count(error);
}

void Callers::copy(int caller, std::int64_t number, CallerLedger& ledger) {
  constexpr int rows = 40;
  std::vector<sdk::Parameters> all;
  for (int i = 0; i < rows; ++i)
    all.push_back({Value{caller}, Value{number}, Value{i}, Value{planted}});
  const auto began = Clock::now();
  Answer<sdk::Result<SessionHandle>> begun{violations_};
  pool_.begin({}, begun.callback());
  const auto session = begun.get();
  if (!session) {
    look_at(session.error(), "begin");
    return;
  }
  sdk::Statement load{.sql = "COPY copied"};
  load.bulk = std::make_shared<const sdk::BulkRows>(
    sdk::BulkRows{"copied",
                  {"caller", "number", "i", "note"},
                  std::make_shared<const std::vector<sdk::Parameters>>(std::move(all)),
                  0,
                  rows});
  Answer<ExecuteReply> loaded{violations_};
  session->execute(std::move(load), loaded.callback());
  const auto result = std::move(loaded.get().results.front());
  if (!result)
    look_at(result.error(), "rows in bulk");
  else if (result->rowcount != rows)
    violations_.add("another number of rows was copied");
  Answer<sdk::Status> committed{violations_};
  session->commit(committed.callback());
  const auto status = committed.get();
  ledger.took(Clock::now() - began);
  if (!status)
    look_at(status.error(), "a commit of rows in bulk");
  if (status && !result)
    violations_.add("rows in bulk were committed that had failed");
  ledger.copies.count(status ? nullptr : &status.error());
  if (status)
    ledger.copied.insert(number);
  else if (status.error().outcome_unknown())
    ledger.maybe_copied.insert(number);
}

void Callers::stream(CallerLedger& ledger, std::mt19937_64& random) {
  const auto wanted = static_cast<std::int64_t>(random() % 4000);
  const auto began = Clock::now();
  Answer<sdk::Result<SessionHandle>> begun{violations_};
  pool_.begin({.read_only = true}, begun.callback());
  const auto session = begun.get();
  if (!session) {
    look_at(session.error(), "begin");
    return;
  }
  const auto sum = std::make_shared<Sum>();

  struct Taken {
    std::mutex mutex;
    std::weak_ptr<sdk::RowStream> stream;
  };

  const auto taken = std::make_shared<Taken>();
  const auto rows = std::make_shared<sdk::RowStream>(
    sdk::RowStream::Sizes{.rows = 256}, [sum, taken](std::unique_ptr<sdk::RawResult> piece) {
      sum->take(std::move(piece));
      const std::lock_guard lock{taken->mutex};
      if (const auto stream = taken->stream.lock())
        stream->taken();
    });
  {
    const std::lock_guard lock{taken->mutex};
    taken->stream = rows;
  }
  sdk::Statement select{
    .sql = "SELECT i, repeat('x', 50) AS text FROM generate_series(1, $1::int) i",
    .sets = {{Value{wanted}}}};
  select.stream = rows;
  Answer<ExecuteReply> reply{violations_};
  session->execute(std::move(select), reply.callback());
  const auto result = std::move(reply.get().results.front());
  ledger.took(Clock::now() - began);
  ledger.streams.count(error_in(result));
  const auto came = sum->rows();
  if (!came || *came > wanted || (result && *came != wanted))
    violations_.add("a stream gave other rows than it was asked for");
  if (result)
    return;
  look_at(result.error(), "a stream");
  if (result.error().outcome_unknown())
    violations_.add("a stream whose outcome nobody knows");
}

}  // namespace millrace::actors
