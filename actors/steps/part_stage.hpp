// PartStage: what foreach with `collect` and parallel share: records are cut into parts, the parts
// go through nested steps, and each record goes on with what they made.
#pragma once

#include "actors/pipeline/nested_time.hpp"
#include "actors/steps/part_work.hpp"
#include "dsl/program.hpp"

#include <memory>
#include <optional>
#include <span>
#include <unordered_map>

namespace millrace::actors {

class PartStage : public Stage {
public:
  sdk::Status start(StageContext& context) final;
  void process(sdk::Batch batch, Ticket ticket) final;
  void on_return(std::size_t branch, sdk::Batch batch) final;
  void on_timer(std::uint64_t token) final;

protected:
  explicit PartStage(const dsl::StepProgram& step) : step_{step}, time_{step.timeout} {}

  using Values = std::span<std::optional<sdk::Value>>;

  /// The parts of a record, as an array of what each is made from; empty: `join` makes the output
  /// of none.
  virtual sdk::Result<sdk::Value> cut(const sdk::Record& whole) = 0;

  /// Makes part `index`, a copy of its record so far, and says which nested steps it takes.
  virtual std::size_t make_part(const sdk::Value& from, std::uint32_t index, sdk::Record& part) = 0;

  /// What a part that came back stands for.
  virtual sdk::Result<sdk::Value> value_of(std::size_t branch, const sdk::Record& part) = 0;

  /// The step's output for a record; nothing: the part was left out on purpose.
  virtual sdk::Value join(Values values) = 0;

  virtual std::size_t branches() const = 0;

private:
  void on_news(const PartsNews& news);
  void give_back_if_complete(std::uint64_t join);
  void give_back(PartWork work);

  const dsl::StepProgram& step_;
  StageContext* context_ = nullptr;
  std::unique_ptr<Parts> parts_;
  NestedTime time_;
  std::unordered_map<std::uint64_t, PartWork> works_;
  std::uint64_t next_join_ = 1;
};

}  // namespace millrace::actors
