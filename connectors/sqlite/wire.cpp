#include "connectors/sqlite/wire.hpp"

#include "connectors/sqlite/keywords.hpp"
#include "connectors/sqlite/ready_result.hpp"
#include "connectors/sqlite/session.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

namespace millrace::sqlite {

namespace {

using sdk::WireAnswer;
using sdk::WireEntry;

sdk::Error neighbour_failed() {
  return {sdk::ErrorKind::transaction,
          "rolled back, because another statement of its batch failed",
          {.code = "25P02"}};
}

bool controls_transaction(const WireEntry& entry) {
  const auto word = main_keyword(entry.statement->sql);
  return word == "BEGIN" || word == "COMMIT" || word == "END" || word == "ROLLBACK"
         || word == "SAVEPOINT" || word == "RELEASE";
}

}  // namespace

struct SqliteWire::State {
  State(const sdk::DatabaseSettings& settings, sdk::WireEvents wire_events)
    : session{settings}, events{std::move(wire_events)} {}

  void run();
  std::vector<WireAnswer> run_group(std::span<const WireEntry> group);
  std::vector<WireAnswer> run_atomically(std::span<const WireEntry> group);
  std::vector<WireAnswer> run_in_order(std::span<const WireEntry> group);
  void answer_all(std::vector<WireEntry> entries);
  void end(std::optional<sdk::Error> error);

  Session session;
  sdk::WireEvents events;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::vector<WireEntry>> bursts;
  bool closing = false;
};

SqliteWire::SqliteWire(const sdk::DatabaseSettings& settings, sdk::WireEvents events)
  : state_{std::make_shared<State>(settings, std::move(events))} {
}

SqliteWire::~SqliteWire() {
  close();
  if (!thread_.joinable())
    return;
  // The last owner may be a handler on the thread itself; the state outlives it by its own
  // reference.
  if (thread_.get_id() == std::this_thread::get_id())
    thread_.detach();
  else
    thread_.join();
}

void SqliteWire::connect() {
  thread_ = std::thread{[state = state_] { state->run(); }};
}

void SqliteWire::send(std::vector<sdk::WireEntry> entries) {
  {
    const std::lock_guard lock{state_->mutex};
    state_->bursts.push_back(std::move(entries));
  }
  state_->changed.notify_one();
}

void SqliteWire::cancel() {
  state_->session.interrupt();
}

void SqliteWire::close() {
  {
    const std::lock_guard lock{state_->mutex};
    state_->closing = true;
  }
  state_->session.stop();
  state_->changed.notify_one();
}

void SqliteWire::State::run() {
  if (auto opened = session.open(); !opened) {
    end(opened.error());
    return;
  }
  events.connected();
  while (true) {
    std::vector<WireEntry> entries;
    {
      std::unique_lock lock{mutex};
      changed.wait(lock, [this] { return closing || !bursts.empty(); });
      if (closing)
        break;
      entries = std::move(bursts.front());
      bursts.pop_front();
    }
    answer_all(std::move(entries));
  }
  end(std::nullopt);
}

void SqliteWire::State::answer_all(std::vector<WireEntry> entries) {
  std::vector<WireAnswer> answers;
  answers.reserve(entries.size());
  std::span<const WireEntry> rest{entries};
  session.keep_turn(true);
  while (!rest.empty()) {
    std::size_t count = 1;
    while (count < rest.size() && !rest[count - 1].sync)
      ++count;
    for (auto& answer : run_group(rest.first(count)))
      answers.push_back(std::move(answer));
    rest = rest.subspan(count);
  }
  session.keep_turn(false);
  events.answered(std::move(answers));
}

std::vector<WireAnswer> SqliteWire::State::run_group(std::span<const WireEntry> group) {
  // A group is one implicit transaction, unless it stands in an explicit one or begins it.
  if (group.size() == 1 || session.in_transaction() || controls_transaction(group.front()))
    return run_in_order(group);
  return run_atomically(group);
}

std::vector<WireAnswer> SqliteWire::State::run_in_order(std::span<const WireEntry> group) {
  std::vector<WireAnswer> answers;
  bool failed = false;
  for (const auto& entry : group) {
    if (failed) {
      answers.push_back({entry.id, neighbour_failed(), true});
      continue;
    }
    auto result = session.run(entry.statement, entry.set);
    failed = !result;
    if (failed)
      answers.push_back({entry.id, std::move(result).error(), false});
    else
      answers.push_back({entry.id, ready(std::move(*result)), false});
  }
  return answers;
}

std::vector<WireAnswer> SqliteWire::State::run_atomically(std::span<const WireEntry> group) {
  std::vector<WireAnswer> answers;
  auto fail = [&](std::size_t guilty, const sdk::Error& error) {
    answers.clear();
    for (std::size_t i = 0; i < group.size(); ++i)
      answers.push_back({group[i].id, i == guilty ? error : neighbour_failed(), i != guilty});
  };
  if (auto begun = session.run_plain("BEGIN IMMEDIATE"); !begun) {
    fail(0, begun.error());
    return answers;
  }
  answers = run_in_order(group);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].result)
      continue;
    static_cast<void>(session.run_plain("ROLLBACK"));
    fail(i, sdk::Error{answers[i].result.error()});
    return answers;
  }
  if (auto committed = session.run_plain("COMMIT"); !committed) {
    static_cast<void>(session.run_plain("ROLLBACK"));
    fail(group.size() - 1, committed.error());
  }
  return answers;
}

void SqliteWire::State::end(std::optional<sdk::Error> error) {
  sdk::WireLoss loss{
    error.value_or(sdk::Error{sdk::ErrorKind::connection, "the connection was closed"})};
  loss.server_ended = true;
  loss.other_host_may_do = error.has_value() && error->retryable();
  const std::lock_guard lock{mutex};
  for (const auto& burst : bursts) {
    for (const auto& entry : burst)
      loss.unanswered.push_back({entry.id, sdk::StatementPhase::queued});
  }
  bursts.clear();
  events.lost(std::move(loss));
}

}  // namespace millrace::sqlite
