#include "actors/sources/poll_source.hpp"

#include "connectors/sdk/reactor.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace millrace::actors {

using sdk::Error;
using sdk::ErrorKind;

namespace {

using namespace std::chrono_literals;

std::chrono::milliseconds wait_after(std::uint32_t failures) {
  return std::min<std::chrono::milliseconds>(100ms * (1U << std::min(failures, 7U)), 10s);
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

}  // namespace

PollSource::PollSource(std::shared_ptr<const dsl::DatabaseReceive> receive,
                       sdk::sql::Dialect dialect, DatabaseHandle database)
  : receive_{std::move(receive)}, dialect_{dialect}, database_{std::move(database)} {
}

PollSource::~PollSource() {
  if (listener_)
    listener_->stop();
  if (turns_)
    turns_->close();
}

sdk::Status PollSource::start(const sdk::SourceContext& context) {
  context_ = context;
  if (auto bound = bind(); !bound)
    return bound;
  const sdk::Record nothing;
  auto initial = receive_->mark_initial->evaluate({.record = &nothing});
  if (!initial)
    return initial.error();
  lane_ = std::make_shared<sdk::Lane>(context.name);
  turns_ = std::make_shared<Turns>(context.reactor->loop());
  if (!receive_->mark_table.empty())
    marks_.emplace(receive_->mark_table, MarkTable::Key{context.pipeline, context.name}, database_,
                   turns_, *context.log);
  turns_->post([this, initial = std::move(*initial)] {
    listen();
    begin(initial);
  });
  return {};
}

sdk::Status PollSource::bind() {
  const auto& query = *receive_->query;
  const std::vector<sdk::sql::DriverLiteral> none(query.parameter_count,
                                                  sdk::sql::DriverLiteral::none);
  auto sent = sdk::sql::rewrite(query, none, dialect_);
  if (!sent)
    return sent.error();
  sql_ = std::move(sent->sql);
  for (const auto entry : sent->binds)
    is_mark_.push_back(query.names.empty() || query.names[entry] == "mark");
  return {};
}

void PollSource::begin(const sdk::Result<sdk::Value>& initial) {
  if (!marks_) {
    mark_ = *initial;
    poll();
    return;
  }
  asking_ = true;
  marks_->load(*initial, [this, initial](sdk::Result<sdk::Value> mark) {
    asking_ = false;
    if (mark) {
      failures_ = 0;
      mark_ = std::move(*mark);
      poll();
    } else if (stopping_) {
      end();
    } else if (mark.error().retryable()) {
      turns_->after(wait_after(failures_++), [this, initial] { begin(initial); });
    } else {
      fail(mark.error());
    }
  });
}

void PollSource::listen() {
  if (receive_->channels.empty())
    return;
  // Rows are asked for behind every notification, and when it may have missed some.
  auto wake = [this] {
    if (asking_)
      notified_ = true;
    else
      poll();
  };
  ChannelListener::Heard heard;
  heard.notifications = [wake](const std::vector<sdk::Notification>&) { wake(); };
  heard.listening = [wake](bool) { wake(); };
  heard.refused = [this](const Error& error) { fail(error); };
  listener_ = std::make_shared<ChannelListener>(receive_->channels, database_, turns_,
                                                std::move(heard), *context_.log, nullptr);
  listener_->start();
}

void PollSource::poll() {
  if (ended_ || asking_)
    return;
  turns_->cancel(std::exchange(timer_, 0));
  if (stopping_) {
    end();
    return;
  }
  asking_ = true;
  context_.events->when_credit([turns = turns_, this] { turns->post([this] { ask(); }); });
}

void PollSource::ask() {
  asking_ = false;
  if (ended_)
    return;
  if (stopping_) {
    end();
    return;
  }
  asking_ = true;
  notified_ = false;
  sdk::Statement statement{.sql = sql_};
  for (const bool mark : is_mark_)
    statement.sets.front().push_back(mark ? mark_
                                          : sdk::Value{static_cast<std::int64_t>(receive_->limit)});
  statement.options.idempotent = receive_->query->classification.read_only;
  database_.execute(std::move(statement), turns_->taking([this](ExecuteReply reply) {
    take(std::move(reply.results.front()));
  }));
}

void PollSource::take(sdk::Result<sdk::SqlResult> result) {
  asking_ = false;
  if (ended_)
    return;
  if (stopping_) {
    end();  // what came now is asked for again at the next start
    return;
  }
  if (!result && !result.error().retryable()) {
    fail(result.error());
    return;
  }
  if (!result) {
    const auto delay = wait_after(failures_++);
    context_.log->warn("rows could not be asked for, it is tried again",
                       {{"pipeline", sdk::Value{context_.pipeline}},
                        {"source", sdk::Value{context_.name}},
                        {"error", sdk::Value{result.error().to_string()}},
                        {"delay_ms", sdk::Value{delay.count()}}});
    timer_ = turns_->after(delay, [this] { poll(); });
    return;
  }
  failures_ = 0;
  if (result->rows.size() > 0) {
    if (auto emitted = emit(result->rows); !emitted)
      fail(emitted.error());
    else
      poll();
  } else if (context_.once) {
    end();
  } else if (notified_) {
    poll();
  } else {
    wait();
  }
}

void PollSource::wait() {
  timer_ = turns_->after(receive_->every, [this] { poll(); });
}

// The column of that name, or the only one that differs in case.
const sdk::Value* PollSource::mark_of(const sdk::Value& row) const {
  if (const auto* found = row.find(receive_->mark_column))
    return found;
  const sdk::Value* found = nullptr;
  for (const auto& [name, value] : row.members()) {
    if (!same_name(name.as_string(), receive_->mark_column))
      continue;
    if (found)
      return nullptr;
    found = &value;
  }
  return found;
}

// Numbers are looked at; how text is ordered only the database knows.
sdk::Status PollSource::check_rises(const sdk::Value& mark, bool first) const {
  const bool falls = mark.is_integer() && mark_.is_integer()
                     && mark.as_integer() < mark_.as_integer();
  if (!falls && !(first && mark == mark_))
    return {};
  return Error{ErrorKind::data,
               "the rows do not rise above the mark '" + receive_->mark_column + "'",
               {.hint = "the query needs WHERE " + receive_->mark_column + " > :mark ORDER BY "
                        + receive_->mark_column}};
}

// Rows of one mark belong together: where `:limit` may have cut the last of them off, they are left
// for the next time.
sdk::Result<std::size_t> PollSource::whole_groups(const std::vector<sdk::Value>& marks) const {
  const auto count = marks.size();
  const bool cut = std::ranges::find(is_mark_, false) != is_mark_.end() && count == receive_->limit;
  if (!cut || count < 2 || marks[count - 1] != marks[count - 2])
    return count;
  auto whole = count - 1;
  while (whole > 0 && marks[whole - 1] == marks[count - 1])
    --whole;
  if (whole > 0)
    return whole;
  return Error{ErrorKind::data,
               "more than " + std::to_string(count - 1) + " rows have the same mark '"
                 + receive_->mark_column + "'",
               {.hint = "raise 'limit', or take a column whose values are unique"}};
}

sdk::Status PollSource::emit(const sdk::Value& rows) {
  std::vector<sdk::Value> marks;
  for (const auto& row : rows.items()) {
    const auto* mark = mark_of(row);
    if (!mark || mark->is_null())
      return Error{ErrorKind::data,
                   "the rows have no mark: there is no column '" + receive_->mark_column
                     + "', or it is null",
                   {.hint = "select it in 'query', and leave nulls out"}};
    marks.push_back(*mark);
  }
  const auto count = whole_groups(marks);
  if (!count)
    return count.error();
  sdk::Intake intake{.lane = lane_};
  intake.records.reserve(*count);
  for (std::size_t i = 0; i < *count; ++i) {
    if (auto rises = check_rises(marks[i], i == 0); !rises)
      return rises;
    mark_ = marks[i];
    const auto& row = rows.items()[i];
    auto& record = intake.records.emplace_back();
    record.position = ++next_position_;
    record.set(context_.output, row);
    if (context_.meta)
      record.set(*context_.meta, sdk::Value::object({{"mark", mark_}}));
    intake.bytes += row.heap_bytes();
    const bool last_of_group = i + 1 == *count || marks[i + 1] != marks[i];
    if (marks_ && last_of_group)
      open_.push_back({record.position, mark_});
  }
  context_.events->emit(std::move(intake));
  return {};
}

void PollSource::settled(const sdk::Lane&, std::uint64_t position) {
  if (!marks_)
    return;
  turns_->post([this, position] {
    std::optional<sdk::Value> mark;
    while (!open_.empty() && open_.front().position <= position) {
      mark = std::move(open_.front().mark);
      open_.pop_front();
    }
    if (mark)
      marks_->advance(std::move(*mark));
  });
}

void PollSource::finish(std::function<void()> done) {
  if (!marks_) {
    done();
    return;
  }
  turns_->post([this, done = std::move(done)] { marks_->flush(done); });
}

void PollSource::stop() {
  if (!turns_)
    return;
  turns_->post([this] {
    stopping_ = true;
    // A poll that waits for credit would wait until all has settled, and all might wait for `end`.
    if (!asking_ || !context_.events->has_credit())
      end();
  });
}

void PollSource::end() {
  if (std::exchange(ended_, true))
    return;
  turns_->cancel(std::exchange(timer_, 0));
  if (listener_)
    listener_->end();
  context_.events->end();
}

void PollSource::fail(const sdk::Error& error) {
  if (std::exchange(ended_, true))
    return;
  turns_->cancel(std::exchange(timer_, 0));
  if (listener_)
    listener_->end();
  context_.events->fail(error);
}

}  // namespace millrace::actors
