#include "actors/steps/batch_statements.hpp"

#include "actors/steps/item_list.hpp"

#include <utility>

namespace millrace::actors {

namespace {

using Statements = std::vector<sdk::Statement>;

// One text with a parameter set per item: it is sent, and prepared, once.
sdk::Result<Statements> for_each_item(StatementMaker& maker, const dsl::DatabaseCall& call,
                                      std::size_t server, const sdk::Record& record) {
  auto items = item_list(*call.each, record);
  if (!items)
    return std::move(items).error();
  Statements statements;
  if (items->size() == 0)
    return statements;
  auto& statement = statements.emplace_back();
  statement.sets.clear();
  auto scope = record.copy();
  for (const auto& item : items->items()) {
    scope.set(call.item, item);
    auto made = maker.make(server, 0, scope);
    if (!made)
      return std::move(made).error();
    if (statement.sets.empty())
      statement.sql = made->text->sql();
    statement.sets.push_back(std::move(made->parameters));
  }
  return statements;
}

}  // namespace

sdk::Result<Statements> batch_statements(StatementMaker& maker, const dsl::DatabaseCall& call,
                                         std::size_t server, const sdk::Record& record) {
  if (call.each)
    return for_each_item(maker, call, server, record);
  Statements statements;
  for (std::size_t number = 0; number < maker.count(); ++number) {
    auto made = maker.make(server, number, record);
    if (!made)
      return std::move(made).error();
    auto& statement = statements.emplace_back();
    statement.sql = made->text->sql();
    statement.sets = {std::move(made->parameters)};
  }
  return statements;
}

}  // namespace millrace::actors
