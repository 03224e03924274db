// A server, or a network, that falls silent in the middle of a statement: nobody would ever hear of
// it where the connection stays up. What runs under a limit of time is over a little later than
// that, with an answer or without.
#include "connectors/postgres/wire.hpp"

#include <algorithm>
#include <string>

namespace millrace::postgres {

namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

// For the server to say itself that the time is up.
constexpr milliseconds least_grace = 200ms;
constexpr milliseconds most_grace = 2s;
constexpr milliseconds look_again = 1s;

}  // namespace

// None: something without a limit is under way.
std::optional<milliseconds> PostgresWire::longest_silence() const {
  milliseconds longest{0};
  const auto takes = [this, &longest](const Queued& queued) {
    const auto limit = queued.entry.statement->options.timeout.value_or(
      settings_.statement_timeout);
    longest = std::max(longest, limit);
    return limit > 0ms;
  };
  for (const auto& pending : pending_) {
    if (pending.kind == Kind::entry && !takes(pending.queued))
      return std::nullopt;
  }
  if (preparing_ && !std::ranges::all_of(again_.empty() ? queue_ : again_, takes))
    return std::nullopt;
  return longest + std::clamp(longest, least_grace, most_grace);
}

void PostgresWire::watch() {
  if (watching_ || closed_ || pending_.empty())
    return;
  watching_ = true;
  heard_ = std::chrono::steady_clock::now();
  watch_for(longest_silence().value_or(look_again));
}

void PostgresWire::watch_for(std::chrono::nanoseconds time) {
  loop_.after(time, [weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->look_whether_silent();
  });
}

void PostgresWire::look_whether_silent() {
  watching_ = false;
  if (closed_ || pending_.empty())
    return;
  const auto allowed = longest_silence();
  const auto silent = std::chrono::steady_clock::now() - heard_;
  if (!allowed || silent < *allowed) {
    watching_ = true;
    watch_for(allowed ? *allowed - silent : std::chrono::nanoseconds{look_again});
    return;
  }
  const auto whole = std::chrono::duration_cast<milliseconds>(silent);
  sdk::Error::Detail detail{.hint = "is the server overloaded, or the network broken?",
                            .code = "08006"};
  detail.retryable = true;
  lose({sdk::ErrorKind::connection,
        "the server has said nothing for " + std::to_string(whole.count()) + " ms",
        std::move(detail)},
       false);
}

}  // namespace millrace::postgres
