#include "connectors/kafka/transactor.hpp"

#include "connectors/kafka/errors.hpp"
#include "connectors/sdk/worker.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <utility>

namespace millrace::kafka {
namespace {

constexpr int patience_ms = 10'000;    // for one answer; what can be tried again is
constexpr int full_queue_ms = 50;      // until a queue that is full is looked at again
constexpr std::size_t most_jobs = 64;  // of one transaction
constexpr std::string_view hex = "0123456789abcdef";

std::string random_id() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 16; ++i)
    id += hex[random() % hex.size()];
  return id;
}

std::int64_t end_of(const sdk::Batch& batch) {
  return static_cast<std::int64_t>(batch[batch.size() - 1].position) + 1;
}

sdk::Error error_of(const rd_kafka_error_t& failure, const std::string& doing) {
  auto error = to_error(rd_kafka_error_code(&failure), doing);
  auto detail = error.detail();
  detail.retryable = true;  // nothing of it is there, or the group's offsets tell
  return {error.kind(), error.message(), std::move(detail)};
}

}  // namespace

Transactor::Transactor(const Brokers& brokers, const std::vector<Property>& properties,
                       const std::string& name, sdk::Log* log)
  : brokers_{brokers}, id_{"millrace-" + name + "-" + random_id()} {
  context_ = {log, this};
  for (const auto& property : properties) {
    // The first may not be longer than the transaction: librdkafka sees to that where nothing is
    // said. And nothing more will come that a message could wait for.
    if (property.first != "message.timeout.ms" && property.first != "linger.ms")
      properties_.push_back(property);
  }
  const auto set = [&](const char* key, const char* value) {
    if (std::ranges::find(properties_, key, &Property::first) == properties_.end())
      properties_.emplace_back(key, value);
  };
  // A process that is killed leaves its last transaction open for so long, and who reads behind it
  // waits.
  set("transaction.timeout.ms", "15000");
  set("linger.ms", "0");
  // A coordinator that still writes the end of the last transaction says so, and is asked again.
  set("retry.backoff.ms", "10");
  properties_.emplace_back("transactional.id", id_);
  thread_ = sdk::start_thread("kafka-commit", [this] { run(); });
}

Transactor::~Transactor() {
  {
    const std::lock_guard lock{mutex_};
    closing_ = true;
  }
  news_.notify_all();
  thread_.join();
}

void Transactor::send(sdk::Batch batch, std::vector<Outgoing> messages, sdk::StepDone done) {
  {
    const std::lock_guard lock{mutex_};
    waiting_.push_back({std::move(batch), std::move(messages), std::move(done)});
  }
  news_.notify_all();
}

void Transactor::run() {
  while (true) {
    Jobs jobs;
    {
      std::unique_lock lock{mutex_};
      news_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
      if (closing_)
        break;
      const auto count = std::min(waiting_.size(), most_jobs);
      const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
      jobs.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
      waiting_.erase(waiting_.begin(), end);
    }
    transact(std::move(jobs));
  }
  if (client_)
    rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  client_.reset();
}

void Transactor::fail(Jobs& jobs, const sdk::Error& error) {
  for (auto& job : jobs)
    job.done(std::move(job.batch), {{0, error}});
}

// A step that was made anew sends what its predecessor had under way: that comes first.
void Transactor::drop_repeated(Jobs& jobs) {
  std::map<const sdk::Lane*, std::int64_t> ends;
  for (auto job = jobs.begin(); job != jobs.end();) {
    auto& end =
      ends.try_emplace(job->batch.lane().get(), job->lane().ledger()->next()).first->second;
    if (static_cast<std::int64_t>(job->batch[0].position) >= end) {
      end = end_of(job->batch);
      ++job;
      continue;
    }
    job->done(std::move(job->batch),
              {{0, {sdk::ErrorKind::transaction, "it is sent already", {.retryable = true}}}});
    job = jobs.erase(job);
  }
}

void Transactor::transact(Jobs jobs) {
  drop_repeated(jobs);
  if (jobs.empty())
    return;
  if (auto opened = open_client(); !opened) {
    fail(jobs, opened.error());
    return;
  }
  if (const ErrorPtr refused{rd_kafka_begin_transaction(client_.get())}) {
    sdk::Error why = error_of(*refused, "cannot begin a transaction");
    if (rd_kafka_error_is_fatal(refused.get()) != 0)
      client_.reset();
    fail(jobs, why);
    return;
  }
  for (auto job = jobs.begin(); job != jobs.end(); ++job) {
    for (auto& message : job->messages) {
      const auto sent = produce(message);
      if (sent)
        continue;
      // The guilty record has its own error, the others go again.
      const ErrorPtr aborted{rd_kafka_abort_transaction(client_.get(), patience_ms)};
      if (aborted)
        client_.reset();
      job->done(std::move(job->batch), {{message.index, sent.error()}});
      jobs.erase(job);
      fail(jobs, {sdk::ErrorKind::transaction,
                  "another message of the transaction was refused",
                  {.retryable = true}});
      return;
    }
  }
  sdk::Error why{sdk::ErrorKind::transaction, "the transaction was aborted"};
  const auto end = commit(jobs, why);
  if (end != End::committed) {
    if (end != End::aborted)
      client_.reset();
    // Whether it was committed the group's offsets tell: the source begins anew, where they stand.
    if (end == End::unknown) {
      for (const auto& job : jobs)
        job.lane().ledger()->fence();
    }
    fail(jobs, why);
    return;
  }
  for (auto& job : jobs) {
    job.lane().ledger()->advance(end_of(job.batch));
    job.done(std::move(job.batch), {});
  }
}

sdk::Status Transactor::open_client() {
  if (client_)
    return {};
  auto conf = make_conf(brokers_, properties_, context_);
  if (!conf)
    return std::move(conf).error();
  std::array<char, 512> reason{};
  client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf->get(), reason.data(), reason.size()));
  if (!client_)
    return sdk::Error{sdk::ErrorKind::config,
                      "cannot make a transactional Kafka producer of these settings",
                      {.hint = reason.data()}};
  static_cast<void>(conf->release());  // the client's now
  if (const ErrorPtr failure{rd_kafka_init_transactions(client_.get(), patience_ms)}) {
    client_.reset();
    return error_of(*failure, "cannot prepare transactions on '" + brokers_.name + "'");
  }
  return {};
}

sdk::Status Transactor::produce(Outgoing& message) {
  while (true) {
    const auto failure = hand_to_client(client_.get(), message, nullptr);
    if (failure == RD_KAFKA_RESP_ERR_NO_ERROR)
      return {};
    if (failure != RD_KAFKA_RESP_ERR__QUEUE_FULL)
      return to_error(failure, "cannot send to '" + message.topic + "'");
    rd_kafka_poll(client_.get(), full_queue_ms);
  }
}

sdk::Status Transactor::add_offsets(const Jobs& jobs,
                                    const rd_kafka_consumer_group_metadata_t& member) {
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> next;
  for (const auto& job : jobs) {
    const auto& key = job.lane().ledger()->key();
    auto& offset = next[{key.topic, key.partition}];
    offset = std::max(offset, end_of(job.batch));
  }
  const auto list = make_list(static_cast<int>(next.size()));
  for (const auto& [key, offset] : next)
    rd_kafka_topic_partition_list_add(list.get(), key.first.c_str(), key.second)->offset = offset;
  while (true) {
    const ErrorPtr failure{
      rd_kafka_send_offsets_to_transaction(client_.get(), list.get(), &member, patience_ms)};
    if (!failure)
      return {};
    if (rd_kafka_error_is_retriable(failure.get()) == 0)
      return error_of(*failure, "cannot write offsets in the transaction");
    const std::lock_guard lock{mutex_};
    if (closing_)
      return error_of(*failure, "cannot write offsets in the transaction");
  }
}

// While it holds the gate no partition leaves the member: who has it next begins behind it.
Transactor::End Transactor::commit(const Jobs& jobs, sdk::Error& why) {
  auto& gate = *jobs.front().lane().gate();
  const std::lock_guard lock{gate.mutex};
  const bool fenced = gate.consumer == nullptr || std::ranges::any_of(jobs, [&](const Job& job) {
                        return job.lane().ledger()->fenced() || job.lane().gate().get() != &gate;
                      });
  sdk::Status added;
  if (fenced) {
    added = sdk::Error{sdk::ErrorKind::transaction,
                       "a partition of the transaction went to another member",
                       {.retryable = true}};
  } else {
    const GroupMetadataPtr member{rd_kafka_consumer_group_metadata(gate.consumer)};
    added = add_offsets(jobs, *member);
  }
  if (added)
    return finish(why);
  why = added.error();
  const ErrorPtr aborted{rd_kafka_abort_transaction(client_.get(), patience_ms)};
  return aborted ? End::broken : End::aborted;
}

Transactor::End Transactor::finish(sdk::Error& why) {
  while (true) {
    const ErrorPtr failure{rd_kafka_commit_transaction(client_.get(), patience_ms)};
    if (!failure)
      return End::committed;
    why = error_of(*failure, "cannot commit the transaction");
    if (rd_kafka_error_txn_requires_abort(failure.get()) != 0) {
      const ErrorPtr aborted{rd_kafka_abort_transaction(client_.get(), patience_ms)};
      return aborted ? End::broken : End::aborted;
    }
    const std::lock_guard lock{mutex_};
    if (closing_ || rd_kafka_error_is_retriable(failure.get()) == 0)
      return End::unknown;
  }
}

}  // namespace millrace::kafka
