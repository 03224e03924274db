#include "connectors/sdk/statement.hpp"

#include "connectors/sdk/immortal.hpp"

#include <algorithm>
#include <utility>

namespace millrace::sdk {

ResultShape::ResultShape(std::vector<Column> columns)
  : columns_{std::move(columns)}, value_{Value::array()} {
  static const Immortal<Value> name{"name"};
  static const Immortal<Value> type{"type"};
  names_.reserve(columns_.size());
  for (const auto& column : columns_) {
    names_.emplace_back(column.name);
    value_.push_back(Value::object({{*name, names_.back()}, {*type, Value{column.type}}}));
  }
}

const std::shared_ptr<const ResultShape>& ResultShape::none() {
  static const Immortal<std::shared_ptr<const ResultShape>> shape{
    std::make_shared<const ResultShape>(std::vector<Column>{})};
  return *shape;
}

Value SqlResult::fetch_one() {
  return next < rows.size() ? rows.items()[next++] : Value{};
}

Value SqlResult::fetch_many(std::size_t count) {
  auto fetched = Value::array();
  const auto end = next + std::min(count, rows.size() - std::min(next, rows.size()));
  fetched.reserve(end - next);
  while (next < end)
    fetched.push_back(rows.items()[next++]);
  return fetched;
}

Value SqlResult::fetch_all() {
  if (next == 0) {
    next = rows.size();
    return rows;
  }
  return fetch_many(rows.size());
}

Value SqlResult::to_value() const {
  static const Immortal<Value> rows_name{"rows"};
  static const Immortal<Value> rowcount_name{"rowcount"};
  static const Immortal<Value> columns_name{"columns"};
  static const Immortal<Value> command_name{"command"};
  return Value::object({{*rows_name, rows},
                        {*rowcount_name, rowcount ? Value{*rowcount} : Value{}},
                        {*columns_name, shape->value()},
                        {*command_name, Value{command}}});
}

}  // namespace millrace::sdk
