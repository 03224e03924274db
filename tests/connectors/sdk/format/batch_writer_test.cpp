#include "connectors/sdk/format/batch_writer.hpp"
#include "connectors/sdk/system_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace millrace::sdk {
namespace {

using ::testing::ElementsAre;

// Takes so many pieces, then is full; can be held up.
class FakeTarget final : public WriteTarget {
public:
  explicit FakeTarget(std::size_t room = 1'000) : room_{room} {}

  PiecesWritten write(std::span<const Piece* const> pieces) override {
    if (held.valid())
      std::exchange(held, {}).wait();
    ++writes;
    PiecesWritten result;
    for (; result.written < pieces.size() && room_ > 0; --room_)
      text += pieces[result.written++]->bytes;
    if (result.written < pieces.size())
      result.error = system_error("cannot write", ENOSPC);
    return result;
  }

  std::future<void> held;
  std::string text;
  int writes = 0;

private:
  std::size_t room_;
};

using Failures = std::vector<Failure>;

class BatchWriterTest : public ::testing::Test {
protected:
  std::future<Failures> submit(std::size_t records, std::vector<BatchWriter::Part> parts,
                               Failures failures = {}) {
    Batch batch{std::make_shared<Lane>("test"), 0};
    for (std::size_t i = 0; i < records; ++i)
      batch.add(Record{}, {});
    auto done = std::make_shared<std::promise<Failures>>();
    auto result = done->get_future();
    writer.submit(std::move(batch), std::move(parts), std::move(failures),
                  [done](Batch, Failures all) { done->set_value(std::move(all)); });
    return result;
  }

  static std::vector<std::uint32_t> rows(const Failures& failures) {
    std::vector<std::uint32_t> indexes;
    for (const Failure& failure : failures)
      indexes.push_back(failure.index);
    return indexes;
  }

  BatchWriter writer{"test-write"};
};

TEST_F(BatchWriterTest, WritesAtOnceWhatWaitsWhileItIsBusy) {
  const auto target = std::make_shared<FakeTarget>();
  std::promise<void> release;
  target->held = release.get_future();
  std::vector<std::future<Failures>> sent;
  sent.push_back(submit(1, {{.target = target, .piece = {.bytes = "0"}}}));
  for (int i = 1; i < 10; ++i)
    sent.push_back(submit(1, {{.target = target, .piece = {.bytes = std::to_string(i)}}}));
  release.set_value();
  for (auto& each : sent)
    EXPECT_TRUE(each.get().empty());
  EXPECT_EQ(target->text, "0123456789");
  EXPECT_LE(target->writes, 10);
}

TEST_F(BatchWriterTest, FailsTheRowsOfWhatIsNotThereAndOnlyThose) {
  const auto good = std::make_shared<FakeTarget>();
  const auto full = std::make_shared<FakeTarget>(0);
  const auto failures = submit(5,
                               {{.target = full, .piece = {.bytes = "a"}, .rows = {4, 1}},
                                {.target = good, .piece = {.bytes = "b"}, .rows = {0, 2}}},
                               {{.index = 3, .error = Error{ErrorKind::data, "no value"}}})
                          .get();
  EXPECT_THAT(rows(failures), ElementsAre(1, 3, 4));
  EXPECT_EQ(failures[0].error.code(), "ENOSPC");
  EXPECT_EQ(failures[1].error.kind(), ErrorKind::data);
  EXPECT_EQ(good->text, "b");
}

TEST_F(BatchWriterTest, FailsAllOtherRowsWhereAPartNamesNone) {
  const auto full = std::make_shared<FakeTarget>(0);
  const auto failures = submit(3, {{.target = full, .piece = {.bytes = "a"}}},
                               {{.index = 1, .error = Error{ErrorKind::data, "no value"}}})
                          .get();
  EXPECT_THAT(rows(failures), ElementsAre(0, 1, 2));
  EXPECT_EQ(failures[1].error.kind(), ErrorKind::data);
}

TEST(WorkerTest, RunsTasksInOrderAndTheRestWhenItEnds) {
  std::vector<int> ran;
  {
    Worker worker{"test"};
    worker.post_at(std::chrono::steady_clock::now() + std::chrono::hours{1},
                   [&] { ran.push_back(3); });
    worker.post([&] {
      ran.push_back(1);
      worker.post([&] { ran.push_back(2); });
    });
  }
  std::ranges::sort(ran);
  EXPECT_THAT(ran, ElementsAre(1, 2, 3));
}

TEST(SystemErrorTest, SaysWhatWhyAndWhatToDo) {
  const Error error = system_error("cannot write 'out.jsonl'", ENOSPC);
  EXPECT_EQ(error.kind(), ErrorKind::io);
  EXPECT_EQ(error.code(), "ENOSPC");
  EXPECT_EQ(error.message(), "cannot write 'out.jsonl': No space left on device");
  EXPECT_EQ(error.hint(), "free some space on that disk");
  EXPECT_TRUE(error.retryable());
  EXPECT_FALSE(system_error("cannot open 'x'", ENOENT).retryable());
}

}  // namespace
}  // namespace millrace::sdk
