// A server that does not end what takes too long. As a rule statement_timeout does, exactly and
// without a round trip; where the server or the network does not react, the caller is answered all
// the same, and the connection takes no more work: a cancel may hit whatever comes next on it.
#include "connectors/postgres/farewell.hpp"
#include "connectors/postgres/wire.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace millrace::postgres {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto grace = 250ms;      // for the server's own timeout to come first
constexpr auto look_around = 1s;   // while what runs has no limit
constexpr auto leave_within = 2s;  // for what is under way when the connection is left

}  // namespace

std::optional<std::chrono::milliseconds> PostgresWire::limit_of(const sdk::WireEntry& entry) const {
  if (entry.statement && entry.statement->options.timeout)
    return *entry.statement->options.timeout;
  if (settings_.statement_timeout > 0ms)
    return settings_.statement_timeout;
  return std::nullopt;
}

bool PostgresWire::is_abandoned(std::uint64_t id) const {
  return std::ranges::find(abandoned_, id) != abandoned_.end();
}

void PostgresWire::note_progress() {
  if (limited_)
    progress_ = Clock::now();
}

void PostgresWire::watch() {
  if (!limited_ || closed_ || leaving_ || pending_.empty())
    return;
  if (std::exchange(idle_, false))
    progress_ = Clock::now();
  if (watch_timer_ == 0)
    watch_timer_ = loop_.after(grace, [weak = weak_from_this()] {
      if (const auto self = weak.lock())
        self->on_watch();
    });
}

// Statements run one after the other: the first one's time began at the last sign of the server.
void PostgresWire::on_watch() {
  watch_timer_ = 0;
  if (closed_ || leaving_ || (pending_.empty() && group_.empty()))
    return;
  if (held_)
    progress_ = Clock::now();  // it is we who do not read
  const auto is_entry = [](const Pending& pending) { return pending.kind == Kind::entry; };
  const auto in_group = std::ranges::find_if(group_, is_entry);
  const auto waiting = std::ranges::find_if(pending_, is_entry);
  const Pending* victim = in_group != group_.end()    ? &*in_group
                          : waiting != pending_.end() ? &*waiting
                                                      : nullptr;
  const sdk::WireEntry* entry = victim != nullptr                 ? &victim->queued.entry
                                : preparing_ && !source().empty() ? &source().front().entry
                                                                  : nullptr;
  const auto limit = entry == nullptr ? std::nullopt : limit_of(*entry);
  const auto due = limit ? progress_ + *limit + grace : Clock::now() + look_around;
  const auto left = due - Clock::now();
  if (left <= 0ms)
    overdue(victim, *limit);
  else
    watch_timer_ = loop_.after(left, [weak = weak_from_this()] {
      if (const auto self = weak.lock())
        self->on_watch();
    });
}

// @param victim null: the first of the queue, whose statement is being prepared.
void PostgresWire::overdue(const Pending* victim, std::chrono::milliseconds limit) {
  deliver();
  // What has run and waits for its Sync is overdue together.
  std::vector<sdk::WireEntry> overdue;
  for (const auto& pending : group_) {
    if (pending.kind == Kind::entry && !pending_.empty() && pending_.front().kind == Kind::sync)
      overdue.push_back(pending.queued.entry);
  }
  if (overdue.empty() && victim != nullptr)
    overdue.push_back(victim->queued.entry);
  const bool written = victim != nullptr;
  if (!written) {
    overdue.push_back(source().front().entry);
    source().pop_front();
  }
  // On a connection that nobody else waits for, the cancel can only hit its own statement.
  if (in_flight_ <= 1)
    cancel_now();
  leave();
  for (const auto& entry : overdue)
    abandon(entry, written, limit);
}

void PostgresWire::abandon(const sdk::WireEntry& entry, bool written,
                           std::chrono::milliseconds limit) {
  const bool harmless = !written
                        || (entry.statement
                            && (entry.statement->options.read_only
                                || entry.statement->options.idempotent));
  sdk::Error::Detail detail{.hint = "look at the server's load and the network", .code = "57014"};
  detail.outcome_unknown = !harmless;
  std::vector<sdk::WireAnswer> answers;
  answers.push_back(
    {entry.id, sdk::Error{sdk::ErrorKind::timeout,
                          "the statement took longer than its limit of "
                            + std::to_string(limit.count()) + " ms, and the server did not end it",
                          std::move(detail)}});
  abandoned_.push_back(entry.id);
  events_.answered(std::move(answers));
}

void PostgresWire::leave() {
  if (std::exchange(leaving_, true))
    return;
  leave_timer_ = loop_.after(leave_within, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self)
      return;
    self->leave_timer_ = 0;
    self->lose({sdk::ErrorKind::connection,
                "the server did not answer, and the connection was given up",
                {.code = "08006"}},
               false);
  });
}

void PostgresWire::end_if_left() {
  if (leaving_ && !closed_ && pending_.empty())
    lose({sdk::ErrorKind::connection, "the connection was of no more use", {.code = "08006"}},
         false);
}

void PostgresWire::cancel_now() {
  if (connection_)
    request_cancel(connection_.get());
}

}  // namespace millrace::postgres
