// Batching: decides how what waits is sent next. No I/O, no actors; time is given.
//
//   const auto choice = batching.choose(*plan, options, waiting, free_slots, now);
//   … send up to choice.size statements in choice.way …
//   batching.succeeded(*plan, choice.way, count, took, bytes, now);
#pragma once

#include "actors/db/statement_plan.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace millrace::actors::db {

struct Choice {
  Way way = Way::each;
  std::uint32_t size = 1;        // the most statements
  bool alike = false;            // all of the same text
  WhyNot why = WhyNot::nothing;  // not a better way
};

class Batching {
public:
  /// @param enabled whether anything but `each` is chosen at all.
  /// @param depth the most statements that are sent at once with a Sync each.
  Batching(bool enabled, std::uint32_t depth) : enabled_{enabled}, depth_{depth} {}

  /// @param waiting statements that could go now, this one included.
  /// @param slots groups that the connection takes now.
  /// @param limit the most that the statement may go with; 0: as many as it likes, 1: alone.
  Choice choose(const StatementPlan& plan, const sdk::StatementOptions& options,
                std::size_t waiting, std::uint32_t slots, std::uint32_t limit,
                sdk::Instant now) const;

  /// A group came back whole. @param took from when the connection began with it.
  void succeeded(StatementPlan& plan, Way way, std::uint32_t size, std::chrono::nanoseconds took,
                 std::size_t bytes, sdk::Instant now) const;

  /// Nothing of a group happened. @param unprepared the server does not take the set form.
  void failed(StatementPlan& plan, Way way, const sdk::Error& error, bool unprepared,
              sdk::Instant now) const;

  /// With how many a member of a failed group of `size` may go next.
  static std::uint32_t limit_after(std::uint32_t size) noexcept;

  static constexpr std::uint32_t most_members = 256;
  static constexpr std::size_t most_bytes = 1 << 20;  // of parameters

private:
  std::uint32_t most(const StatementPlan& plan, Way way,
                     const sdk::StatementOptions& options) const;

  bool enabled_;
  std::uint32_t depth_;
};

}  // namespace millrace::actors::db
