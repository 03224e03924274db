// CleanStatements: which statements are known to leave nothing behind in a session's connection, so
// that it need not be reset behind them. Sessions ask and the pool learns, from the server's
// catalog: thread-safe.
//
//   if (!clean.contains(sql, now)) reset();            // who asks in vain makes it `wanted`
//   for (const auto& sql : clean.take_wanted()) …      // look it up
//   clean.learn(sql, {.leaves_nothing = true}, now + 1min);
#pragma once

#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/lru_cache.hpp"

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::actors::db {

class CleanStatements {
public:
  /// Whether `sql` is known to leave nothing behind. The unknown ones are noted, a few at a time.
  bool contains(std::string_view sql, sdk::Instant now);

  /// Whether `sql` is known to write, or to lock rows.
  bool writes(std::string_view sql);

  struct Traces {
    bool leaves_nothing = false;
    bool writes = false;
  };

  /// True of `sql` until then: functions and triggers may be made anew. It is not asked about
  /// before.
  void learn(std::string_view sql, Traces traces, sdk::Instant until);

  /// The schema has changed: nothing is known any more.
  void forget();

  std::vector<std::string> take_wanted();

private:
  struct Known {
    Traces traces;
    sdk::Instant until;
  };

  std::mutex mutex_;
  std::atomic<bool> wants_ = false;  // `wanted_` is not empty
  sdk::LruCache<Known> known_{1024};
  std::vector<std::string> wanted_;
};

}  // namespace millrace::actors::db
