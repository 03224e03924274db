// Results that are taken off the wire piece by piece, over both drivers.
#include "connectors/sdk/row_stream.hpp"
#include "tests/actors/db/conformance.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>

namespace millrace::actors {
namespace {

using sdk::Value;

/// Pieces as they come in; they wait until the test takes them.
class Pieces {
public:
  explicit Pieces(sdk::RowStream::Sizes sizes)
    : stream_{std::make_shared<sdk::RowStream>(sizes, [this](auto rows) {
        {
          const std::lock_guard lock{mutex_};
          pieces_.push_back(std::move(rows));
        }
        changed_.notify_all();
      })} {}

  const std::shared_ptr<sdk::RowStream>& stream() { return stream_; }

  /// Rows of the next piece.
  sdk::Value take() {
    std::unique_ptr<sdk::RawResult> piece;
    {
      std::unique_lock lock{mutex_};
      if (!changed_.wait_for(lock, patience, [this] { return !pieces_.empty(); })) {
        ADD_FAILURE() << "no rows came";
        return Value::array();
      }
      piece = std::move(pieces_.front());
      pieces_.pop_front();
    }
    auto decoded = piece->decode();
    stream_->taken();
    return decoded ? decoded->rows : Value::array();
  }

  bool wait_for(std::size_t count) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, [&] { return pieces_.size() >= count; });
  }

  std::size_t waiting() {
    const std::lock_guard lock{mutex_};
    return pieces_.size();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<sdk::RawResult>> pieces_;
  std::shared_ptr<sdk::RowStream> stream_;
};

constexpr const char* numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                                "WHERE i < 1000) SELECT i FROM n";

class RowStreamConformanceTest : public ConformanceTest {
protected:
  Awaited<ExecuteReply> stream(const SessionHandle& session, std::string sql, Pieces& pieces,
                               sdk::Parameters parameters = {}) {
    sdk::Statement statement{.sql = std::move(sql), .sets = {std::move(parameters)}};
    statement.stream = pieces.stream();
    Awaited<ExecuteReply> reply;
    session.execute(std::move(statement), reply.callback());
    return reply;
  }
};

TEST_P(RowStreamConformanceTest, GivesAllRowsInOrderAndThenTheResult) {
  Pieces pieces{{.rows = 100, .pieces = 100}};
  auto session = pool().begin();
  ASSERT_TRUE(session);
  auto reply = stream(*session, numbers, pieces);
  std::int64_t next = 1;
  for (int piece = 0; piece < 10; ++piece) {
    const auto rows = pieces.take();
    EXPECT_EQ(rows.size(), 100U);
    for (const auto& row : rows.items())
      EXPECT_EQ(row.find("i")->as_integer(), next++);
  }
  const auto result = std::move(reply.get().results.front());
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(result->rows.size(), 0U);
  EXPECT_EQ(result->rowcount, 1000);
  EXPECT_TRUE(commit(*session));
  EXPECT_EQ(pool().rows("SELECT 1 AS one").size(), 1U);
}

TEST_P(RowStreamConformanceTest, ReadsNoMoreThanIsTaken) {
  Pieces pieces{{.rows = 10, .pieces = 3}};
  auto session = pool().begin();
  ASSERT_TRUE(session);
  auto reply = stream(*session, numbers, pieces);
  ASSERT_TRUE(pieces.wait_for(3));
  EXPECT_EQ(pool().rows("SELECT 1 AS one").size(), 1U);  // others go on meanwhile
  EXPECT_EQ(pieces.waiting(), 3U);
  std::size_t rows = 0;
  for (int piece = 0; piece < 100; ++piece) {
    EXPECT_LE(pieces.waiting(), 3U);
    rows += pieces.take().size();
  }
  EXPECT_EQ(rows, 1000U);
  EXPECT_TRUE(reply.get().results.front());
}

TEST_P(RowStreamConformanceTest, EndsSoonAfterNobodyWantsTheRows) {
  Pieces pieces{{.rows = 10, .pieces = 2}};
  auto session = pool().begin();
  ASSERT_TRUE(session);
  auto reply = stream(*session,
                      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                      "WHERE i < 2000000000) SELECT i FROM n",
                      pieces);
  ASSERT_TRUE(pieces.wait_for(2));
  pieces.stream()->cancel();
  const auto result = std::move(reply.get().results.front());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), "57014");
  EXPECT_TRUE(rollback(*session));
  // The connection serves the next one, which no late cancel hits.
  for (int i = 0; i < 50; ++i) {
    auto next = pool().begin();
    ASSERT_TRUE(next);
    EXPECT_TRUE(run(*next, "SELECT 1"));
    EXPECT_TRUE(commit(*next));
  }
}

TEST_P(RowStreamConformanceTest, TellsAnErrorInTheMiddleBehindTheRowsBeforeIt) {
  make("CREATE TABLE t (i INT)");
  make(
    "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
    "SELECT i FROM n");
  Pieces pieces{{.rows = 10, .pieces = 100}};
  auto session = pool().begin();
  ASSERT_TRUE(session);
  // Both drivers find out at row 55.
  auto reply = stream(*session,
                      is_postgres()
                        ? "SELECT 1 / (i - 55) AS x FROM t"
                        : "SELECT CASE WHEN i = 55 THEN abs(-9223372036854775807 - 1) ELSE i END "
                          "AS x FROM t",
                      pieces);
  const auto result = std::move(reply.get().results.front());
  ASSERT_FALSE(result);
  std::size_t rows = 0;
  while (pieces.waiting() > 0)
    rows += pieces.take().size();
  EXPECT_EQ(rows, 54U);
  EXPECT_TRUE(rollback(*session));
}

TEST_P(RowStreamConformanceTest, TakesParametersAndGivesNoPieceWhereThereAreNoRows) {
  make("CREATE TABLE t (id INT)");
  Pieces pieces{{}};
  auto session = pool().begin();
  ASSERT_TRUE(session);
  auto reply = stream(*session, "SELECT id FROM t WHERE id = $1", pieces, {Value{7}});
  EXPECT_TRUE(reply.get().results.front());
  EXPECT_EQ(pieces.waiting(), 0U);
  ASSERT_TRUE(run(*session, "INSERT INTO t VALUES (7)"));
  Pieces again{{}};
  auto second = stream(*session, "SELECT id FROM t WHERE id = $1", again, {Value{7}});
  EXPECT_EQ(again.take().size(), 1U);
  EXPECT_TRUE(second.get().results.front());
  EXPECT_TRUE(commit(*session));
}

INSTANTIATE_TEST_SUITE_P(Drivers, RowStreamConformanceTest, testing::Values("sqlite", "postgres"),
                         [](const auto& driver) { return driver.param; });

}  // namespace
}  // namespace millrace::actors
