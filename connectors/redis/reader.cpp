#include "connectors/redis/reader.hpp"

#include "connectors/redis/errors.hpp"
#include "connectors/sdk/backoff.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace millrace::redis {
namespace {

using namespace std::chrono_literals;

const sdk::Backoff backoff{100ms, 5s};

// How long a run with --once goes on without a server that it has seen.
constexpr std::chrono::seconds once_patience{30};

}  // namespace

Reader::Reader(ReaderInput input)
  : input_{std::move(input)}, loop_{input_.client->loop()}, random_{std::random_device{}()} {
}

Reader::~Reader() = default;

void Reader::connect() {
  if (!is_over_)
    connection_ = Connection::open(input_.server, loop_, input_.tls, weak_from_this());
}

void Reader::on_ready() {
  was_ready_ = true;
  begin();
}

void Reader::on_closed(const ConnectionEnd& end) {
  connection_.reset();
  if (is_over_)
    return;
  if (end.refused || !was_ready_)
    return fail(end.error);
  if (lost(end))
    reconnect(end);
}

void Reader::heard() {
  awaits_answer_ = false;
  attempts_ = 0;
  if (std::exchange(told_down_, false))
    context().log->info("redis source connected again",
                        {{"step", context().name}, {"server", server()->name}});
}

void Reader::reconnect(const ConnectionEnd& end) {
  const auto now = context().clock->now();
  if (!std::exchange(told_down_, true)) {
    down_since_ = now;
    context().log->warn(
      "redis source lost its connection",
      {{"step", context().name}, {"server", server()->name}, {"error", end.error.message()}});
  }
  if (context().once && now - down_since_ > once_patience)
    return fail(end.error);
  after(backoff.wait(++attempts_, random_), [this] { connect(); });
}

void Reader::stop() {
  end();
}

void Reader::close() {
  is_over_ = true;
  if (const auto connection = std::exchange(connection_, nullptr))
    connection->close();
}

void Reader::send(std::initializer_list<std::string_view> words,
                  std::chrono::milliseconds patience) {
  std::string command;
  append_command(command, words);
  connection_->send(command);
  sent(patience);
}

void Reader::send(const std::vector<std::string>& words, std::chrono::milliseconds patience) {
  std::string command;
  append_command(command, words);
  connection_->send(command);
  sent(patience);
}

void Reader::sent(std::chrono::milliseconds patience) {
  awaits_answer_ = true;
  sent_at_ = sdk::system_clock().now();
  patience_ = patience;
  if (!std::exchange(is_watched_, true))
    watch(patience);
}

void Reader::watch(std::chrono::nanoseconds wait) {
  after(wait, [this] {
    is_watched_ = false;
    if (!connection_ || !awaits_answer_ || is_over_)
      return;
    const auto left = std::max(sent_at_, connection_->last_read()) + patience_
                      - sdk::system_clock().now();
    if (left > 0ns) {
      is_watched_ = true;
      return watch(left);
    }
    connection_->close();
    on_closed({unreachable(server()->name, "it has said nothing for longer than 'timeout'")});
  });
}

void Reader::on_reply(Reply reply) {
  awaits_answer_ = false;
  if (!reply.is(Reply::Kind::error))
    heard();
  if (!is_over_)
    on_answer(std::move(reply));
}

bool Reader::has_credit(std::function<void()> resume) {
  bool has = false;
  const bool listens = input_.gate->use(
    [&](sdk::SourceEvents& events) { has = events.has_credit(); });
  if (has || !listens || std::exchange(awaits_credit_, true))
    return has;
  input_.gate->use([&](sdk::SourceEvents& events) {
    events.when_credit([weak = weak_from_this(), &loop = loop_, resume = std::move(resume)] {
      loop.post([weak, resume] {
        const auto self = weak.lock();
        if (!self)
          return;
        self->awaits_credit_ = false;
        if (!self->is_over_)
          resume();
      });
    });
  });
  return false;
}

void Reader::emit(sdk::Intake intake) {
  if (!is_over_ && !intake.records.empty())
    input_.gate->use([&](sdk::SourceEvents& events) { events.emit(std::move(intake)); });
}

void Reader::take_refusal(const Reply& reply) {
  auto error = refused(reply.text, server()->name);
  const auto connection = std::exchange(connection_, nullptr);
  if (connection)
    connection->close();
  if (judge(reply.text) == Refusal::final)
    return fail(std::move(error));
  const ConnectionEnd end{std::move(error)};
  if (lost(end))
    reconnect(end);
}

void Reader::end() {
  if (!std::exchange(is_over_, true))
    input_.gate->use([](sdk::SourceEvents& events) { events.end(); });
  close();
}

void Reader::fail(sdk::Error error) {
  if (!std::exchange(is_over_, true))
    input_.gate->use([&](sdk::SourceEvents& events) { events.fail(std::move(error)); });
  close();
}

void Reader::after(std::chrono::nanoseconds delay, std::function<void()> task) {
  loop_.after(delay, [weak = weak_from_this(), task = std::move(task)] {
    if (const auto self = weak.lock())
      task();
  });
}

void Reader::add_record(sdk::Intake& intake, std::uint64_t position, sdk::Result<sdk::Value> value,
                        std::string_view raw, std::string_view where) const {
  constexpr std::size_t record_bytes = 256;
  auto& record = intake.records.emplace_back();
  record.position = position;
  intake.bytes += raw.size() + record_bytes;
  if (!value) {
    const auto& why = value.error();
    intake.failures.push_back(
      {.index = static_cast<std::uint32_t>(intake.records.size() - 1),
       .error = {why.kind(), std::string{where} + ": " + why.message(), why.detail()}});
    value = raw_text(raw);
  }
  record.set(context().output, std::move(*value));
}

}  // namespace millrace::redis
