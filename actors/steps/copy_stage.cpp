// copyIn outside of a transaction: the rows of all records that wait are written together, each
// time in one transaction. Where one of them is refused, halves are tried again until the guilty
// record stands alone; the others are written, and no row is written twice.
#include "actors/db/database_handle.hpp"
#include "actors/steps/copy_rows.hpp"
#include "actors/steps/database_stages.hpp"
#include "actors/steps/in_turn.hpp"
#include "actors/steps/session_attachment.hpp"
#include "actors/steps/statement_maker.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

class CopyStage final : public Stage {
public:
  CopyStage(const dsl::StepProgram& step, const dsl::DatabaseCall& call, const StageEnv& env)
    : step_{step},
      target_{*call.copy},
      maker_{call, *env.program},
      databases_{*env.databases},
      options_{pool_options({}, *env.pipeline, step)} {}

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    return {};
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    Work work{std::move(batch), {}, 0};
    std::deque<Item> items;
    for (std::uint32_t i = 0; i < work.batch.size(); ++i) {
      const auto server = maker_.server_of(work.batch[i]);
      auto rows = server ? rows_of(target_, work.batch[i]) : server.error();
      if (!rows)
        work.failures.push_back({i, std::move(rows).error()});
      else if (rows->empty())
        set_result(work.batch[i], 0);
      else
        items.push_back({ticket, i, *server, std::move(*rows)});
    }
    work.open = items.size();
    works_.emplace(ticket, std::move(work));
    if (items.empty())
      give_back(ticket);
    std::ranges::move(items, std::back_inserter(waiting_));
    run_next();
  }

private:
  /// The rows of one record.
  struct Item {
    Ticket ticket = 0;
    std::uint32_t index = 0;  // in its batch
    std::size_t server = 0;
    CopyRows rows{};
  };

  struct Work {
    sdk::Batch batch;
    std::vector<sdk::Failure> failures;
    std::size_t open = 0;  // items that have not come to their end
  };

  struct Part {
    std::size_t first = 0;  // of the job's items
    std::size_t count = 0;
  };

  struct Job {
    std::size_t server = 0;
    std::vector<Item> items;           // without their rows
    std::vector<std::size_t> offsets;  // of each item's first row; one more at the end
    std::shared_ptr<const CopyRows> rows;
    std::vector<Part> parts;  // to be written, the next one last
    std::optional<SessionHandle> session{};
  };

  void run_next() {
    if (job_ || making_)
      return;
    making_ = true;  // what is given back meanwhile may bring the next batch
    const bool made = make_job();
    making_ = false;
    if (made)
      begin();
  }

  // What waits for the same server, up to `maxRows`. Records of a lane that was rewound come again.
  bool make_job() {
    Job job;
    auto rows = std::make_shared<CopyRows>();
    while (!waiting_.empty()) {
      auto& item = waiting_.front();
      const bool fits = job.items.empty()
                        || (item.server == job.server
                            && rows->size() + item.rows.size() <= target_.most);
      if (!fits)
        break;
      if (works_.at(item.ticket).batch.stale()) {
        const auto ticket = item.ticket;
        waiting_.pop_front();
        one_less(ticket);
        continue;
      }
      job.server = item.server;
      job.offsets.push_back(rows->size());
      std::ranges::move(item.rows, std::back_inserter(*rows));
      item.rows.clear();
      job.items.push_back(std::move(item));
      waiting_.pop_front();
    }
    if (job.items.empty())
      return false;
    job.offsets.push_back(rows->size());
    job.rows = std::move(rows);
    job.parts.push_back({0, job.items.size()});
    job_ = std::move(job);
    return true;
  }

  void begin() {
    databases_[job_->server].begin(
      options_, in_turn(*context_, [this](const sdk::Result<SessionHandle>& session) {
        if (session)
          write(*session);
        else
          part_failed(session.error());
      }));
  }

  void write(const SessionHandle& session) {
    const auto part = job_->parts.back();
    const auto first = job_->offsets[part.first];
    const auto count = job_->offsets[part.first + part.count] - first;
    auto statement = copy_statement(target_, job_->rows, first, count);
    statement.options.timeout = step_.timeout;
    job_->session = session;
    session.execute(std::move(statement), in_turn(*context_, [this](const ExecuteReply& reply) {
                      if (const auto& result = reply.results.front())
                        commit();
                      else
                        part_failed(result.error());
                    }));
  }

  void commit() {
    job_->session->commit(in_turn(*context_, [this](const sdk::Status& status) {
      if (status)
        part_written();
      else
        part_failed(status.error());
    }));
  }

  void part_written() {
    const auto part = take_part();
    for (std::size_t i = part.first; i < part.first + part.count; ++i) {
      const auto& item = job_->items[i];
      set_result(works_.at(item.ticket).batch[item.index], job_->offsets[i + 1] - job_->offsets[i]);
    }
    end_part(part);
  }

  void part_failed(const sdk::Error& error) {
    const auto part = take_part();
    if (part.count > 1 && blames_a_row(error)) {
      const auto half = part.count / 2;
      job_->parts.push_back({part.first + half, part.count - half});
      job_->parts.push_back({part.first, half});
      begin();
      return;
    }
    for (std::size_t i = part.first; i < part.first + part.count; ++i) {
      const auto& item = job_->items[i];
      works_.at(item.ticket).failures.push_back({item.index, error});
    }
    end_part(part);
  }

  // Whatever of its transaction is still open is rolled back.
  Part take_part() {
    const auto part = job_->parts.back();
    job_->parts.pop_back();
    job_->session.reset();
    return part;
  }

  void end_part(Part part) {
    std::vector<Ticket> tickets;
    for (std::size_t i = part.first; i < part.first + part.count; ++i)
      tickets.push_back(job_->items[i].ticket);
    if (job_->parts.empty())
      job_.reset();
    else
      begin();
    for (const auto ticket : tickets)
      one_less(ticket);
    run_next();
  }

  void set_result(sdk::Record& record, std::size_t rows) const {
    if (step_.output != sdk::no_slot)
      record.set(step_.output, copy_result(rows));
  }

  void one_less(Ticket ticket) {
    if (--works_.at(ticket).open == 0)
      give_back(ticket);
  }

  void give_back(Ticket ticket) {
    auto work = std::move(works_.extract(ticket).mapped());
    std::ranges::sort(work.failures, {}, &sdk::Failure::index);
    context_->done(ticket, std::move(work.batch), std::move(work.failures));
  }

  const dsl::StepProgram& step_;
  const dsl::CopyTarget& target_;
  StatementMaker maker_;
  const std::vector<DatabaseHandle>& databases_;
  const sdk::TransactionOptions options_;
  StageContext* context_ = nullptr;
  std::unordered_map<Ticket, Work> works_;
  std::deque<Item> waiting_;
  std::optional<Job> job_;  // at work
  bool making_ = false;
};

}  // namespace

StagePtr make_copy_stage(const dsl::StepProgram& step, const dsl::DatabaseCall& call,
                         const StageEnv& env) {
  return std::make_unique<CopyStage>(step, call, env);
}

}  // namespace millrace::actors
