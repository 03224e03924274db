#include "actors/sources/mark_table.hpp"

#include "connectors/sdk/json.hpp"

#include <algorithm>
#include <utility>

namespace millrace::actors {

namespace {

using namespace std::chrono_literals;

std::chrono::milliseconds wait_after(std::uint32_t failures) {
  return std::min<std::chrono::milliseconds>(100ms * (1U << std::min(failures, 7U)), 10s);
}

// No table of that name: PostgreSQL's code, and SQLite's words.
bool is_missing_table(const sdk::Error& error) {
  return error.code() == "42P01" || error.message().find("no such table") != std::string::npos;
}

}  // namespace

MarkTable::MarkTable(std::string table, Key key, DatabaseHandle database,
                     std::shared_ptr<Turns> turns, sdk::Log& log)
  : table_{std::move(table)},
    key_{std::move(key)},
    database_{std::move(database)},
    turns_{std::move(turns)},
    log_{log} {
}

void MarkTable::load(sdk::Value initial, std::function<void(sdk::Result<sdk::Value>)> done) {
  initial_ = std::move(initial);
  read(std::move(done), true);
}

void MarkTable::read(std::function<void(sdk::Result<sdk::Value>)> done, bool may_create) {
  run("SELECT mark FROM " + table_ + " WHERE pipeline = $1 AND source = $2",
      {sdk::Value{key_.pipeline}, sdk::Value{key_.source}},
      [this, done = std::move(done), may_create](const sdk::Result<sdk::SqlResult>& result) {
        if (!result) {
          if (may_create && is_missing_table(result.error()))
            create(done);
          else
            done(result.error());
          return;
        }
        if (result->rows.size() == 0) {
          // So that an `initial` that is computed stays the same after a restart.
          advance(initial_);
          done(initial_);
          return;
        }
        const auto* mark = result->rows.items()[0].find("mark");
        auto parsed = mark && mark->is_string()
                        ? sdk::parse_json(mark->as_string())
                        : sdk::Result<sdk::Value>{mark ? *mark : sdk::Value{}};
        done(std::move(parsed));
      });
}

void MarkTable::create(std::function<void(sdk::Result<sdk::Value>)> done) {
  run("CREATE TABLE IF NOT EXISTS " + table_
        + " (pipeline text NOT NULL, source text NOT NULL, mark text NOT NULL,"
          " PRIMARY KEY (pipeline, source))",
      {}, [this, done = std::move(done)](const sdk::Result<sdk::SqlResult>& result) {
        if (result)
          read(done, false);
        else
          done(result.error());
      });
}

void MarkTable::advance(sdk::Value mark) {
  wanted_ = std::move(mark);
  if (!writing_)
    write();
}

void MarkTable::write() {
  writing_ = true;
  auto mark = std::move(*wanted_);
  wanted_.reset();
  const auto text = sdk::to_json(mark);
  run("INSERT INTO " + table_
        + " (pipeline, source, mark) VALUES ($1, $2, $3)"
          " ON CONFLICT (pipeline, source) DO UPDATE SET mark = excluded.mark",
      {sdk::Value{key_.pipeline}, sdk::Value{key_.source}, sdk::Value{text}},
      [this, mark](const sdk::Result<sdk::SqlResult>& result) {
        writing_ = false;
        if (result) {
          failures_ = 0;
        } else {
          log_.warn("mark not written, it is tried again",
                    {{"pipeline", sdk::Value{key_.pipeline}},
                     {"source", sdk::Value{key_.source}},
                     {"error", sdk::Value{result.error().to_string()}}});
          if (!wanted_)
            wanted_ = mark;
          if (!flushed_) {
            writing_ = true;
            turns_->after(wait_after(failures_++), [this] { write(); });
            return;
          }
          wanted_.reset();  // at the end nobody waits for a database that is gone
        }
        if (wanted_)
          write();
        else if (flushed_)
          std::exchange(flushed_, nullptr)();
      });
}

void MarkTable::flush(std::function<void()> done) {
  if (writing_)
    flushed_ = std::move(done);
  else
    done();
}

void MarkTable::run(std::string sql, sdk::Parameters parameters, Done done) {
  sdk::Statement statement{.sql = std::move(sql), .sets = {std::move(parameters)}};
  statement.options.idempotent = true;
  database_.execute(std::move(statement),
                    turns_->taking([done = std::move(done)](ExecuteReply reply) {
                      done(std::move(reply.results.front()));
                    }));
}

}  // namespace millrace::actors
