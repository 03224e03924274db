#include "actors/db/statement_plan.hpp"

#include "actors/db/statement_gate.hpp"
#include "connectors/sdk/sql/classify.hpp"
#include "dsl/sql/set_form.hpp"

#include <algorithm>
#include <utility>

namespace millrace::actors::db {

namespace {

using namespace std::chrono_literals;

constexpr auto inspection_holds = 60s;
constexpr auto failed_inspection_holds = 5s;

}  // namespace

std::string_view to_string(Way way) noexcept {
  switch (way) {
  case Way::each:
    return "sync each";
  case Way::shared:
    return "shared sync";
  case Way::set:
    break;
  }
  return "set form";
}

std::string_view to_string(WhyNot why) noexcept {
  static constexpr std::array<std::string_view, why_nots> texts{"",
                                                                "batching is off",
                                                                "the driver",
                                                                "its words",
                                                                "what it names",
                                                                "not known yet",
                                                                "too slow",
                                                                "groups fail",
                                                                "the set form does not pay",
                                                                "nobody waited with it",
                                                                "costs are compared",
                                                                "a transaction",
                                                                "the pool's own"};
  return texts[static_cast<std::size_t>(why)];
}

void WayCost::add(std::chrono::nanoseconds each) {
  // One stall of the machine is no cost of the statement.
  if (known())
    each = std::min(each, 4 * average_ + 1us);
  average_ = samples_ == 0 ? each : (average_ * 7 + each) / 8;
  ++samples_;
}

StatementPlan::StatementPlan(std::string_view sql, bool gated)
  : sql_{std::make_shared<const std::string>(sql)},
    refusal_{shared_lane_refusal(sql)},
    gated_{gated} {
  if (!gated_ || refusal_)
    return;
  const auto tokens = sdk::sql::tokenize(*sql_);
  const auto statement = sdk::sql::single_statement(*sql_, *tokens);
  words_ = dsl::examine_joinable(*statement);
  const auto kind = sdk::sql::classify(*statement).kind;
  changes_schema_ = kind != sdk::sql::StatementKind::query
                    && kind != sdk::sql::StatementKind::update;
}

bool StatementPlan::is_joinable() const noexcept {
  return gated_ && words_.refusal.empty() && inspection_ && inspection_->lane_refusal.empty()
         && (words_.reads || inspection_->write_refusal.empty());
}

bool StatementPlan::is_pure() const noexcept {
  return is_joinable() && words_.reads && !writes_after_all_ && !inspection_->calls_volatile;
}

Place StatementPlan::place(sdk::Instant now) const {
  if (!gated_)
    return Place::writes;
  if (!words_.refusal.empty())
    return Place::exclusive;
  if (!inspection_)
    return Place::unknown;
  if (!is_joinable() || now < slow_until_)
    return Place::exclusive;
  return is_pure() ? Place::reads : Place::writes;
}

Refusal StatementPlan::refusal_of(Way way, sdk::Instant now) const {
  if (way == Way::each)
    return {};
  if (!gated_)
    return {WhyNot::driver, "the driver runs each statement on its own"};
  if (!words_.refusal.empty())
    return {WhyNot::words, words_.refusal};
  if (way == Way::set && !words_.set_refusal.empty())
    return {WhyNot::words, words_.set_refusal};
  if (!inspection_)
    return {WhyNot::unknown, "the catalog was not asked yet"};
  if (!inspection_->lane_refusal.empty())
    return {unanswered_ ? WhyNot::unknown : WhyNot::catalog, inspection_->lane_refusal};
  if (!words_.reads && !inspection_->write_refusal.empty())
    return {WhyNot::catalog, inspection_->write_refusal};
  if (now < slow_until_)
    return {WhyNot::slow, "it was too slow for a connection that others share"};
  if (joining_is_paused(now))
    return {WhyNot::failing, "most of its groups failed lately"};
  if (way == Way::shared)
    return {};
  if (words_.reads && !is_pure())
    return {WhyNot::catalog, "it calls a function that gives another value each time"};
  if (!inspection_->set_refusal.empty())
    return {WhyNot::catalog, inspection_->set_refusal};
  if (!words_.reads && !inspection_->insert_refusal.empty())
    return {WhyNot::catalog, inspection_->insert_refusal};
  if (!form_)
    return {WhyNot::words, "it has no set form"};
  if (now < set_refused_until_)
    return {WhyNot::dearer, set_refusal_};
  return {};
}

bool StatementPlan::asks_catalog() const noexcept {
  return gated_ && !refusal_ && (words_.refusal.empty() || !words_.names.empty());
}

bool StatementPlan::leaves_traces() const noexcept {
  if (!gated_)
    return false;
  return !asks_catalog() || !inspection_ || !inspection_->lane_refusal.empty()
         || (!words_.reads && !inspection_->write_refusal.empty());
}

bool StatementPlan::wants_inspection(sdk::Instant now) const noexcept {
  return asks_catalog() && !asking_ && (!inspection_ || inspect_again_ <= now);
}

void StatementPlan::inspected(sdk::Inspection found, sdk::Instant now) {
  asking_ = false;
  unanswered_ = false;
  inspection_ = std::move(found);
  inspect_again_ = now + inspection_holds;
  write_form();
}

void StatementPlan::inspection_failed(std::string_view why, sdk::Instant now) {
  asking_ = false;
  unanswered_ = true;
  sdk::Inspection found;
  found.lane_refusal = "the catalog could not be asked: " + std::string{why};
  inspection_ = std::move(found);
  inspect_again_ = now + failed_inspection_holds;
  form_.reset();
}

void StatementPlan::forget_inspection() noexcept {
  inspection_.reset();
  inspect_again_ = {};
}

void StatementPlan::write_form() {
  std::vector<std::string> types;
  for (const auto& parameter : inspection_->parameters)
    types.push_back(parameter.name);
  const bool fits = words_.set_form != dsl::SetFormKind::none && types.size() == words_.parameters
                    && inspection_->set_refusal.empty()
                    && (words_.reads || inspection_->insert_refusal.empty());
  if (!fits) {
    form_.reset();
    return;
  }
  const auto tokens = sdk::sql::tokenize(*sql_);
  const auto statement = sdk::sql::single_statement(*sql_, *tokens);
  auto text = dsl::write_set_form(*statement, words_, types);
  if (form_ && form_->sql == text)
    return;
  if (text.empty()) {
    form_.reset();
    return;
  }
  sdk::SetForm form;
  form.sql = std::move(text);
  form.plain = sql_;
  form.parameters = inspection_->parameters;
  form.rows = words_.set_form == dsl::SetFormKind::select;
  form.ordered = form.rows && words_.ordered;
  form_ = std::make_shared<const sdk::SetForm>(std::move(form));
}

void StatementPlan::refuse_set_form(std::string why, std::chrono::milliseconds during,
                                    sdk::Instant now) {
  set_refusal_ = std::move(why);
  set_refused_until_ = now + during;
  cost(Way::set).forget();
  cost(Way::each).forget();
}

PlanPtr StatementPlans::find(std::string_view sql) {
  if (last_ && *last_->sql() == sql)
    return last_;
  if (auto* known = plans_.find(sql)) {
    last_ = *known;
  } else {
    last_ = std::make_shared<StatementPlan>(sql, gated_);
    plans_.insert(std::string{sql}, last_);
  }
  return last_;
}

std::vector<PlanPtr> StatementPlans::busiest(std::size_t most) const {
  std::vector<PlanPtr> found;
  plans_.for_each([&found](const PlanPtr& plan) { found.push_back(plan); });
  const auto runs = [](const PlanPtr& plan) {
    return plan->runs[0] + plan->runs[1] + plan->runs[2];
  };
  std::erase_if(found, [&](const PlanPtr& plan) { return runs(plan) == 0; });
  const auto end = found.begin() + static_cast<std::ptrdiff_t>(std::min(most, found.size()));
  std::ranges::partial_sort(
    found, end, [&](const PlanPtr& one, const PlanPtr& other) { return runs(one) > runs(other); });
  found.erase(end, found.end());
  return found;
}

void StatementPlans::forget_inspections() {
  plans_.for_each([](const PlanPtr& plan) { plan->forget_inspection(); });
}

}  // namespace millrace::actors::db
