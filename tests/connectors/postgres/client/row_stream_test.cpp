// Large results in chunks.
#include "connectors/postgres/client/client_fixture.hpp"

#include <cstdio>
#include <fstream>
#include <unistd.h>

namespace millrace::postgres {
namespace {

using sdk::Value;

std::size_t resident_bytes() {
  std::ifstream in{"/proc/self/statm"};
  std::size_t total = 0;
  std::size_t resident = 0;
  in >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

class RowStreamTest : public ClientTest {};

TEST_F(RowStreamTest, GivesEveryRowInOrderThenAnEmptyChunk) {
  auto db = connected();
  auto stream = db.stream("SELECT n FROM generate_series(1, ?) n", {2'500}, {.chunk_rows = 1'000});
  ASSERT_TRUE(stream) << stream.error().to_string();
  std::vector<std::size_t> sizes;
  std::int64_t last = 0;
  while (true) {
    auto chunk = stream->next();
    ASSERT_TRUE(chunk) << chunk.error().to_string();
    sizes.push_back(chunk->size());
    if (chunk->size() == 0)
      break;
    for (const auto& row : chunk->items())
      EXPECT_EQ(row.find("n")->as_integer(), ++last);
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1'000, 1'000, 500, 0}));
  EXPECT_EQ(stream->next()->size(), 0U);
}

TEST_F(RowStreamTest, MemoryStaysFlatHoweverLargeTheResultIs) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer keeps freed memory";
#endif
  auto db = connected();
  const std::int64_t rows = 1'000'000;
  auto stream = db.stream("SELECT n, repeat('x', 100) AS text FROM generate_series(1, ?) n",
                          {rows});
  ASSERT_TRUE(stream);
  for (int warm = 0; warm < 20; ++warm)
    ASSERT_TRUE(stream->next());
  const auto before = resident_bytes();
  std::size_t most = before;
  std::int64_t seen = 20'000;
  while (true) {
    auto chunk = stream->next();
    ASSERT_TRUE(chunk) << chunk.error().to_string();
    if (chunk->size() == 0)
      break;
    seen += static_cast<std::int64_t>(chunk->size());
    most = std::max(most, resident_bytes());
  }
  EXPECT_EQ(seen, rows);
  RecordProperty("grown_kib", static_cast<int>((most - before) / 1024));
  // The result as a whole would take over 150 MB.
  EXPECT_LT(most - before, 20U * 1024 * 1024);
}

TEST_F(RowStreamTest, InATransactionItSeesWhatThatHasWritten) {
  auto db = connected();
  ASSERT_TRUE(db.begin());
  ASSERT_TRUE(db.execute("UPDATE items SET stock = 77"));
  {
    auto stream = db.stream("SELECT stock FROM items ORDER BY id");
    ASSERT_TRUE(stream);
    const auto chunk = stream->next();
    ASSERT_TRUE(chunk);
    EXPECT_EQ(chunk->items()[0].find("stock")->as_integer(), 77);
  }
  ASSERT_TRUE(db.execute("SELECT 1"));
  EXPECT_TRUE(db.rollback());
}

TEST_F(RowStreamTest, DoesNoHarmToATransactionThatBeginsBehindItsOwn) {
  auto db = connected();
  ASSERT_TRUE(db.begin());
  auto stream = db.stream("SELECT n FROM generate_series(1, 10000) n");
  ASSERT_TRUE(stream);
  ASSERT_TRUE(stream->next());
  ASSERT_TRUE(db.commit());
  ASSERT_TRUE(db.begin());
  ASSERT_TRUE(db.execute("UPDATE items SET stock = 5 WHERE id = 1"));
  // What was fetched ahead is there; the rest went with its transaction.
  auto chunk = stream->next();
  for (int i = 0; chunk && i < 3; ++i)
    chunk = stream->next();
  ASSERT_FALSE(chunk);
  EXPECT_EQ(chunk.error().kind(), sdk::ErrorKind::transaction);
  EXPECT_EQ(chunk.error().code(), "34000");
  stream = db.stream("SELECT n FROM generate_series(1, 10000) n");  // the old one is dropped
  ASSERT_TRUE(stream);
  EXPECT_EQ(stream->next()->size(), 1'000U);
  ASSERT_TRUE(db.execute("UPDATE items SET stock = 6 WHERE id = 1"));
  ASSERT_TRUE(db.commit());
  EXPECT_EQ(number(db.execute("SELECT stock FROM items WHERE id = 1"), "stock"), 6);
}

TEST_F(RowStreamTest, DroppedBeforeItsEndItGivesItsConnectionBack) {
  auto small = config();
  small.pool.max_size = 1;
  auto db = connected(small);
  {
    auto stream = db.stream("SELECT n FROM generate_series(1, 100000) n");
    ASSERT_TRUE(stream);
    ASSERT_TRUE(stream->next());
  }
  EXPECT_TRUE(db.execute("SELECT 1"));
  EXPECT_EQ(db.pool_info().total, 1U);
}

TEST_F(RowStreamTest, ListsArePassedAsTheServerWantsThem) {
  auto db = connected();
  auto stream = db.stream("SELECT name FROM items WHERE id = ANY(?) ORDER BY id",
                          {Value::array({2, 1})});
  ASSERT_TRUE(stream) << stream.error().to_string();
  const auto chunk = stream->next();
  ASSERT_TRUE(chunk);
  EXPECT_EQ(chunk->size(), 2U);
}

TEST_F(RowStreamTest, WhatCannotBeStreamedIsRefused) {
  auto db = connected();
  EXPECT_EQ(db.stream("DELETE FROM items RETURNING id").error().code(), "42601");
  EXPECT_EQ(db.stream("SELECT * FROM no_such_table").error().code(), "42P01");
  EXPECT_FALSE(db.stream("SELECT ?", {1, 2}));
  EXPECT_TRUE(eventually([&] { return db.pool_info().checked_out == 0; }));
}

TEST_F(RowStreamTest, AnErrorInTheMiddleEndsIt) {
  auto db = connected();
  auto stream = db.stream("SELECT 1 / (1500 - n) AS x FROM generate_series(1, 3000) n");
  ASSERT_TRUE(stream);
  EXPECT_TRUE(stream->next());
  const auto failed = stream->next();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), "22012");
  EXPECT_EQ(stream->next()->size(), 0U);
}

}  // namespace
}  // namespace millrace::postgres
