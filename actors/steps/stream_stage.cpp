// executeSql with `stream: true`: the rows of each record's statement flow on as records, as they
// come in. How many are on their way is bounded by the next step's room; while it has none the
// connection is not read, and the server waits.
#include "actors/db/database_handle.hpp"
#include "actors/steps/database_stages.hpp"
#include "actors/steps/in_turn.hpp"
#include "actors/steps/session_attachment.hpp"
#include "actors/steps/statement_maker.hpp"
#include "actors/steps/streamed_rows.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

class StreamStage final : public Stage {
public:
  StreamStage(const dsl::StepProgram& step, const dsl::DatabaseCall& call, const StageEnv& env)
    : step_{step},
      call_{call},
      maker_{call, *env.program},
      databases_{*env.databases},
      options_{pool_options({.read_only = call.read_only}, *env.pipeline, step)} {}

  ~StreamStage() override { cancel(); }

  StageTraits traits() const noexcept override {
    return {.expands = true, .one_by_one = true, .regroups = true};
  }

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    return maker_.prepare();
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    const auto server = maker_.server_of(batch[0]);
    auto made = server ? maker_.make(*server, 0, batch[0]) : server.error();
    if (!made) {
      context_->done(ticket, std::move(batch), {{0, std::move(made).error()}});
      return;
    }
    sdk::Statement statement;
    statement.sql = made->text->sql();
    statement.sets = {std::move(made->parameters)};
    statement.options.timeout = step_.timeout;
    statement.options.secret = call_.secret;
    waiting_.push_back({ticket, std::move(batch), *server, std::move(statement)});
    run_next();
  }

  void on_room() override { pump(); }

private:
  /// A record whose rows are asked for.
  struct Waiting {
    Ticket ticket = 0;
    sdk::Batch record;  // one; keeps the Ack until the last row has its own
    std::size_t server = 0;
    sdk::Statement statement{};
  };

  struct Run {
    std::uint64_t id = 0;
    Waiting what{};
    std::optional<SessionHandle> session{};
    std::shared_ptr<sdk::RowStream> stream{};
    std::deque<std::unique_ptr<sdk::RawResult>> pieces{};  // not yet decoded
    StreamedRows rows;
    std::optional<sdk::Status> end{};  // no more pieces will come
    std::uint64_t out = 0;             // records
  };

  void run_next() {
    while (!run_ && !waiting_.empty()) {
      auto next = std::move(waiting_.front());
      waiting_.pop_front();
      if (next.record.stale()) {
        context_->done(next.ticket, std::move(next.record));
        continue;
      }
      run_ = std::make_unique<Run>(
        Run{.id = ++last_id_, .what = std::move(next), .rows = StreamedRows{call_.stream->rows}});
      begin();
    }
  }

  /// As the stages' in_turn, if this run is still on.
  template <class Then>
  auto in_turn(Then then) {
    return actors::in_turn(*context_, [this, id = run_->id, then](auto argument) {
      if (run_ && run_->id == id)
        then(std::move(argument));
    });
  }

  void begin() {
    const auto& database = databases_[run_->what.server];
    auto options = options_;
    // Where there is one writer only, a statement that reads must not be it: steps behind this one
    // may write.
    const bool one_writer = database.driver().writing_session_limit(database.settings()) == 1;
    options.read_only = options.read_only || (one_writer && reads_only());
    database.begin(std::move(options), in_turn([this](sdk::Result<SessionHandle> session) {
                     if (session)
                       execute(*session);
                     else
                       end(session.error());
                   }));
  }

  bool reads_only() const {
    return !call_.statements.empty() && call_.statements.front().sql->classification.read_only;
  }

  void execute(const SessionHandle& session) {
    run_->session = session;
    run_->stream = std::make_shared<sdk::RowStream>(
      sdk::RowStream::Sizes{}, in_turn([this](std::unique_ptr<sdk::RawResult> piece) {
        run_->pieces.push_back(std::move(piece));
        pump();
      }));
    auto statement = run_->what.statement;
    statement.stream = run_->stream;
    session.execute(std::move(statement), in_turn([this](ExecuteReply reply) {
                      if (!reply.results.front())
                        end(std::move(reply.results.front()).error());
                      else
                        run_->session->commit(
                          in_turn([this](const sdk::Status& status) { end(status); }));
                    }));
  }

  void end(sdk::Status status) {
    run_->session.reset();
    run_->end = std::move(status);
    pump();
  }

  // Puts out what there is, as far as there is room. What goes on here may bring the next record,
  // or room, at once.
  void pump() {
    if (std::exchange(pumping_, true))
      return;
    while (run_ && put_out_some()) {
    }
    pumping_ = false;
    run_next();
  }

  // @returns whether there may be more to do.
  bool put_out_some() {
    if (run_->what.record.stale()) {
      cancel();
      const auto run = std::move(run_);
      context_->done(run->what.ticket, std::move(run->what.record));
      return false;
    }
    if (run_->rows.empty() && !run_->pieces.empty())
      take_piece();
    const bool all_in = run_->end && run_->pieces.empty();
    if (all_in)
      run_->rows.close();
    if (run_->rows.empty()) {
      if (all_in)
        end_run();
      return !all_in && !run_->pieces.empty();
    }
    // The last one takes what its record owes; so one is kept until it is known that more come.
    const auto known = run_->rows.size() - (all_in || !run_->pieces.empty() ? 0 : 1);
    const auto count = std::min({known, context_->room(), most_at_once});
    if (count > 0)
      put_out(count, all_in && bool{*run_->end} && count == run_->rows.size());
    return count > 0;
  }

  void take_piece() {
    const auto piece = std::move(run_->pieces.front());
    run_->pieces.pop_front();
    auto decoded = piece->decode();
    run_->stream->taken();
    if (decoded) {
      run_->rows.add(decoded->rows);
      return;
    }
    cancel();
    run_->pieces.clear();
    run_->end = decoded.error();
  }

  void put_out(std::size_t count, bool last) {
    auto& whole = run_->what.record;
    sdk::Batch out{whole.lane(), whole.attempt()};
    for (std::size_t i = 0; i < count; ++i) {
      auto record = whole[0].copy();
      if (step_.output != sdk::no_slot)
        record.set(step_.output, run_->rows.take());
      out.add(std::move(record), last && i + 1 == count ? whole.take_ack(0) : whole.fork(0));
    }
    run_->out += count;
    context_->give(run_->what.ticket, std::move(out));
  }

  void end_run() {
    const auto run = std::move(run_);
    auto& record = run->what.record;
    if (!*run->end) {
      context_->done(run->what.ticket, std::move(record),
                     {{0, maker_.shown(told(run->end->error(), *run))}});
      return;
    }
    if (run->out == 0)
      record.settle(sdk::Outcome::filtered);
    context_->done(run->what.ticket, {});
  }

  static sdk::Error told(const sdk::Error& error, const Run& run) {
    if (run.out == 0)
      return error;
    auto detail = error.detail();
    detail.retryable = false;  // what has gone on would go on twice
    return {error.kind(),
            error.message() + " (after " + std::to_string(run.out) + " records had gone on)",
            std::move(detail)};
  }

  void cancel() {
    if (run_ && run_->stream)
      run_->stream->cancel();
  }

  static constexpr std::size_t most_at_once = 512;

  const dsl::StepProgram& step_;
  const dsl::DatabaseCall& call_;
  StatementMaker maker_;
  const std::vector<DatabaseHandle>& databases_;
  const sdk::TransactionOptions options_;
  StageContext* context_ = nullptr;
  std::deque<Waiting> waiting_;
  std::unique_ptr<Run> run_;  // one at a time
  std::uint64_t last_id_ = 0;
  bool pumping_ = false;
};

}  // namespace

StagePtr make_stream_stage(const dsl::StepProgram& step, const dsl::DatabaseCall& call,
                           const StageEnv& env) {
  return std::make_unique<StreamStage>(step, call, env);
}

}  // namespace millrace::actors
