#include "connectors/sdk/batch.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

namespace millrace::sdk {

Batch& Batch::operator=(Batch&& other) noexcept {
  if (this != &other) {
    runs_.clear();  // settles `lost` before the records go
    lane_ = std::move(other.lane_);
    attempt_ = other.attempt_;
    records_ = std::move(other.records_);
    runs_ = std::move(other.runs_);
  }
  return *this;
}

void Batch::add_run(std::vector<Run>& runs, Ack ack, std::uint32_t count) {
  assert(ack.empty() || ack.count() == count);
  if (count == 0)
    return;
  if (!runs.empty()) {
    auto& last = runs.back();
    const bool both_free = last.ack.empty() && ack.empty();
    if (both_free || (!last.ack.empty() && last.ack.append(ack))) {
      last.count += count;
      return;
    }
  }
  runs.push_back({std::move(ack), count});
}

void Batch::add(Record record, Ack ack) {
  records_.push_back(std::move(record));
  add_run(runs_, std::move(ack), 1);
}

void Batch::add(std::vector<Record> records, Ack ack) {
  add_run(runs_, std::move(ack), static_cast<std::uint32_t>(records.size()));
  if (records_.empty()) {
    records_ = std::move(records);
  } else {
    records_.insert(records_.end(), std::make_move_iterator(records.begin()),
                    std::make_move_iterator(records.end()));
  }
}

Batch Batch::extract(const std::vector<bool>& taken) {
  assert(taken.size() == records_.size());
  Batch result{lane_, attempt_};
  if (std::find(taken.begin(), taken.end(), true) == taken.end())
    return result;
  if (std::find(taken.begin(), taken.end(), false) == taken.end()) {
    result.records_ = std::exchange(records_, {});
    result.runs_ = std::exchange(runs_, {});
    return result;
  }
  std::vector<Run> kept_runs;
  std::size_t at = 0;
  for (auto& run : runs_) {
    for (std::uint32_t left = run.count; left > 0;) {
      std::uint32_t same = 1;
      while (same < left && taken[at + same] == taken[at])
        ++same;
      Ack part = run.ack.empty() ? Ack{} : run.ack.split(same);
      add_run(taken[at] ? result.runs_ : kept_runs, std::move(part), same);
      at += same;
      left -= same;
    }
  }
  runs_ = std::move(kept_runs);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    if (taken[i])
      result.records_.push_back(std::move(records_[i]));
    else if (const std::size_t to = kept++; to != i)
      records_[to] = std::move(records_[i]);
  }
  records_.resize(kept);
  return result;
}

Batch Batch::split(std::size_t count) {
  assert(count <= records_.size());
  Batch result{lane_, attempt_};
  if (count == records_.size()) {
    result.records_ = std::exchange(records_, {});
    result.runs_ = std::exchange(runs_, {});
    return result;
  }
  const auto end = records_.begin() + static_cast<std::ptrdiff_t>(count);
  result.records_.assign(std::make_move_iterator(records_.begin()), std::make_move_iterator(end));
  records_.erase(records_.begin(), end);
  auto left = static_cast<std::uint32_t>(count);
  auto run = runs_.begin();
  for (; run != runs_.end() && run->count <= left; ++run) {
    left -= run->count;
    result.runs_.push_back(std::move(*run));
  }
  if (left > 0) {
    Ack part = run->ack.empty() ? Ack{} : run->ack.split(left);
    result.runs_.push_back({std::move(part), left});
    run->count -= left;
  }
  runs_.erase(runs_.begin(), run);
  return result;
}

void Batch::append(Batch next) {
  if (!lane_) {
    *this = std::move(next);
    return;
  }
  assert(next.empty() || (next.lane_ == lane_ && next.attempt_ == attempt_));
  for (auto& run : next.runs_)
    add_run(runs_, std::move(run.ack), run.count);
  next.runs_.clear();
  records_.insert(records_.end(), std::make_move_iterator(next.records_.begin()),
                  std::make_move_iterator(next.records_.end()));
  next.records_.clear();
}

Batch Batch::merge(Batch a, Batch b) {
  if (a.empty())
    return b;
  if (b.empty())
    return a;
  if (a.records_.back().sequence <= b.records_.front().sequence) {
    a.append(std::move(b));
    return a;
  }
  Batch result{a.lane_, a.attempt_};
  result.records_.reserve(a.size() + b.size());
  std::size_t at_a = 0;
  std::size_t at_b = 0;
  std::size_t run_a = 0;
  std::size_t run_b = 0;
  const auto take = [&result](Batch& from, std::size_t& at, std::size_t& run, std::size_t end) {
    while (at < end) {
      auto& current = from.runs_[run];
      const auto count = std::min(current.count, static_cast<std::uint32_t>(end - at));
      Ack part = current.ack.empty() ? Ack{} : current.ack.split(count);
      add_run(result.runs_, std::move(part), count);
      current.count -= count;
      if (current.count == 0)
        ++run;
      for (const std::size_t stop = at + count; at < stop; ++at)
        result.records_.push_back(std::move(from.records_[at]));
    }
  };
  while (at_a < a.size() && at_b < b.size()) {
    std::size_t end = at_a;
    while (end < a.size() && a.records_[end].sequence <= b.records_[at_b].sequence)
      ++end;
    take(a, at_a, run_a, end);
    if (at_a == a.size())
      break;
    end = at_b;
    while (end < b.size() && b.records_[end].sequence < a.records_[at_a].sequence)
      ++end;
    take(b, at_b, run_b, end);
  }
  take(a, at_a, run_a, a.size());
  take(b, at_b, run_b, b.size());
  return result;
}

void Batch::settle(Outcome outcome) {
  for (auto& run : runs_)
    std::move(run.ack).settle(outcome);
  runs_.clear();
  records_.clear();
}

void Batch::settle_one(std::size_t index, Outcome outcome, Value answer) {
  take_ack(index).settle(outcome, std::move(answer));
}

Batch::Run& Batch::single_run(std::size_t index) {
  assert(index < records_.size());
  std::size_t before = 0;
  std::size_t at = 0;
  while (before + runs_[at].count <= index)
    before += runs_[at++].count;
  if (runs_[at].count == 1)
    return runs_[at];
  std::vector<Run> parts;
  auto& run = runs_[at];
  const auto head = static_cast<std::uint32_t>(index - before);
  const std::uint32_t tail = run.count - head - 1;
  const bool owes = !run.ack.empty();
  if (head > 0)
    parts.push_back({owes ? run.ack.split(head) : Ack{}, head});
  const std::size_t place = at + parts.size();
  parts.push_back({owes ? run.ack.split(1) : Ack{}, 1});
  if (tail > 0)
    parts.push_back({std::move(run.ack), tail});
  runs_[at] = std::move(parts.front());
  runs_.insert(runs_.begin() + static_cast<std::ptrdiff_t>(at) + 1,
               std::make_move_iterator(parts.begin() + 1), std::make_move_iterator(parts.end()));
  return runs_[place];
}

Ack Batch::fork(std::size_t index) {
  return single_run(index).ack.fork();
}

Ack Batch::take_ack(std::size_t index) {
  auto& run = single_run(index);
  Ack taken = std::move(run.ack);
  // Neighbours that owe nothing are one run again, so that taking all in turn stays cheap.
  const auto at = static_cast<std::size_t>(&run - runs_.data());
  if (at > 0 && runs_[at - 1].ack.empty()) {
    ++runs_[at - 1].count;
    runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return taken;
}

Batch Batch::take_one(std::size_t index) {
  Batch one{lane_, attempt_};
  auto ack = take_ack(index);
  one.add(std::exchange(records_[index], Record{}), std::move(ack));
  return one;
}

}  // namespace millrace::sdk
