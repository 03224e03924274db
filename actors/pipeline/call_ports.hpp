// CallPorts: how a step calls another pipeline (`type: pipeline`). Each pipeline that is called has
// one port; its source takes the calls as records, one lane each, and answers them with the
// pipeline's result.
//
//   env.calls->find("score")->call(input, [post, …](CallReply reply) { post([…] { … }); });
#pragma once

#include "connectors/sdk/ack.hpp"
#include "connectors/sdk/error.hpp"
#include "connectors/sdk/source.hpp"
#include "connectors/sdk/value.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace millrace::actors {

struct CallReply {
  sdk::Outcome outcome = sdk::Outcome::delivered;
  sdk::Value answer;                // of a delivered one
  std::optional<sdk::Error> error;  // of a failed one
};

/// Thread-safe.
class CallPort : public std::enable_shared_from_this<CallPort> {
public:
  using Done = std::function<void(CallReply)>;

  explicit CallPort(std::string pipeline) : pipeline_{std::move(pipeline)} {}

  /// `done` is called exactly once, on any thread, and must not block. Calls wait while the
  /// pipeline has no credit, and fail once it has ended.
  void call(sdk::Value input, Done done);

  /// Makes the called pipeline's source.
  sdk::SourceFactory source_factory();

  /// One more pipeline that may call; the input ends after the last of them has been taken off.
  void add_caller();
  void remove_caller();

  /// The called pipeline has ended: what waits and what comes fails.
  void close();

private:
  class CallSource;

  struct Waiting {
    std::uint64_t id = 0;
    sdk::Value input;
  };

  void attach(const sdk::SourceContext& context);
  void detach();
  void pump();
  void resume();
  void end_if_uncalled();
  void answered(std::uint64_t id, sdk::Outcome outcome, const sdk::Value& answer);
  CallReply failed_reply(const sdk::Value& error) const;
  CallReply ended_reply() const;

  const std::string pipeline_;
  std::recursive_mutex mutex_;
  sdk::SourceEvents* events_ = nullptr;
  sdk::Slot output_ = 0;
  std::uint64_t next_id_ = 0;
  std::size_t callers_ = 0;
  bool no_more_ = false;  // the input has ended
  bool closed_ = false;
  bool pumping_ = false;  // credit is awaited
  bool asking_ = false;   // within `when_credit`
  std::deque<Waiting> waiting_;
  std::unordered_map<std::uint64_t, Done> open_;
};

/// The ports of an engine by pipeline; immutable once it runs.
class CallPorts {
public:
  void add(const std::string& pipeline) {
    ports_.emplace(pipeline, std::make_shared<CallPort>(pipeline));
  }

  /// @returns null where no such pipeline can be called.
  std::shared_ptr<CallPort> find(std::string_view pipeline) const {
    const auto found = ports_.find(pipeline);
    return found == ports_.end() ? nullptr : found->second;
  }

private:
  std::map<std::string, std::shared_ptr<CallPort>, std::less<>> ports_;
};

}  // namespace millrace::actors
