// StatementPlan: what a pool knows of one SQL text: whether it may run with others, in which form,
// what that costs, and why not.
//
//   auto plan = plans.find(sql);
//   if (plan->place(options, now) == Place::unknown) …      // ask the catalog first
#pragma once

#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/database.hpp"
#include "connectors/sdk/lru_cache.hpp"
#include "dsl/sql/joinable.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::actors::db {

/// How statements that wait together are run.
enum class Way : std::uint8_t {
  each,    // a Sync behind each
  shared,  // one Sync for all: all or nothing
  set,     // the parameter sets of one statement as one statement
};

std::string_view to_string(Way way) noexcept;

/// Why statements ran in a way that is not the best one; few enough for a label of a metric.
enum class WhyNot : std::uint8_t {
  nothing,      // it was the best one
  off,          // `batching: off`
  driver,       // the driver runs each on its own
  words,        // of the statement
  catalog,      // what its words name: a volatile function, a view, a trigger, …
  unknown,      // the catalog was not asked yet, or could not be
  slow,         // it is too slow for a connection that others share
  failing,      // most of its groups failed, or its last one did
  dearer,       // the set form costs more, or the server does not take it
  nobody_else,  // waited with it
  comparing,    // the costs of the ways are being compared
  transaction,  // a batch: a transaction of its own making
  own,          // the pool's own question
};

inline constexpr std::size_t why_nots = 13;

std::string_view to_string(WhyNot why) noexcept;

/// A reason, and the same in words.
struct Refusal {
  WhyNot kind = WhyNot::nothing;
  std::string_view text = {};  // lives as long as the plan is not changed

  explicit operator bool() const noexcept { return kind != WhyNot::nothing; }
};

/// Where a statement runs.
enum class Place : std::uint8_t {
  unknown,    // the catalog is to be asked
  reads,      // shared, where the server refuses writes
  writes,     // shared
  exclusive,  // alone on a connection
};

/// What one statement takes of its connection in a way, on the average.
class WayCost {
public:
  void add(std::chrono::nanoseconds each);

  std::chrono::nanoseconds average() const noexcept { return average_; }

  /// Whether enough was seen to compare it.
  bool known() const noexcept { return samples_ >= enough; }

  void forget() noexcept { samples_ = 0; }

private:
  static constexpr std::uint32_t enough = 4;

  std::chrono::nanoseconds average_{0};
  std::uint32_t samples_ = 0;
};

class StatementPlan {
public:
  /// @param gated the driver has a catalog to ask: else all is shared, and each runs on its own.
  StatementPlan(std::string_view sql, bool gated);

  const std::shared_ptr<const std::string>& sql() const noexcept { return sql_; }

  const dsl::Joinable& words() const noexcept { return words_; }

  /// Why it must not run outside a session at all.
  const std::optional<sdk::Error>& refusal() const noexcept { return refusal_; }

  Place place(sdk::Instant now) const;

  /// Whether what is known of other statements holds no more once it has run.
  bool changes_schema() const noexcept { return changes_schema_; }

  /// Whether it may be run again, or share a Sync.
  bool is_joinable() const noexcept;

  /// A read whose repetition nobody can tell.
  bool is_pure() const noexcept;

  /// Whether it may leave something behind in its connection: settings, locks of the session. So
  /// it is until the catalog has said that nothing that it names could.
  bool leaves_traces() const noexcept;

  /// Why way `way` is not open to it; none: it is.
  Refusal refusal_of(Way way, sdk::Instant now) const;

  /// The same in words; empty: it is open.
  std::string why_not(Way way, sdk::Instant now) const {
    return std::string{refusal_of(way, now).text};
  }

  /// --- the catalog
  /// Whether to ask it (again).
  bool wants_inspection(sdk::Instant now) const noexcept;

  void asking() noexcept { asking_ = true; }

  void inspected(sdk::Inspection found, sdk::Instant now);
  void inspection_failed(std::string_view why, sdk::Instant now);
  /// The schema changed: what is known holds no more.
  void forget_inspection() noexcept;

  /// Null: there is none.
  const std::shared_ptr<const sdk::SetForm>& form() const noexcept { return form_; }

  /// --- what was learned by running it
  void slow(std::chrono::milliseconds during, sdk::Instant now) { slow_until_ = now + during; }

  void pause_joining(std::chrono::milliseconds during, sdk::Instant now) {
    paused_until_ = now + during;
  }

  bool joining_is_paused(sdk::Instant now) const noexcept { return now < paused_until_; }

  void writes_after_all() noexcept { writes_after_all_ = true; }

  void refuse_set_form(std::string why, std::chrono::milliseconds during, sdk::Instant now);

  WayCost& cost(Way way) noexcept { return costs_[static_cast<std::size_t>(way)]; }

  const WayCost& cost(Way way) const noexcept { return costs_[static_cast<std::size_t>(way)]; }

  std::uint32_t group_size = 32;              // the most that go together now
  std::uint32_t groups_since_comparison = 0;  // in set form
  std::array<std::uint64_t, 3> runs{};        // statements per way

private:
  bool asks_catalog() const noexcept;
  void write_form();

  std::shared_ptr<const std::string> sql_;
  std::optional<sdk::Error> refusal_;
  dsl::Joinable words_;
  bool gated_;
  bool changes_schema_ = false;
  bool asking_ = false;
  bool unanswered_ = false;  // the catalog could not be asked
  bool writes_after_all_ = false;
  std::optional<sdk::Inspection> inspection_;
  sdk::Instant inspect_again_;
  sdk::Instant slow_until_;
  sdk::Instant paused_until_;
  std::shared_ptr<const sdk::SetForm> form_;
  std::string set_refusal_;
  sdk::Instant set_refused_until_;
  std::array<WayCost, 3> costs_;
};

using PlanPtr = std::shared_ptr<StatementPlan>;

/// The plans of the statements used last.
class StatementPlans {
public:
  explicit StatementPlans(bool gated) : gated_{gated} {}

  PlanPtr find(std::string_view sql);

  void forget_inspections();

  /// Those that ran most often, first; at most so many.
  std::vector<PlanPtr> busiest(std::size_t most) const;

private:
  bool gated_;
  sdk::LruCache<PlanPtr> plans_{1024};
  PlanPtr last_;
};

}  // namespace millrace::actors::db
