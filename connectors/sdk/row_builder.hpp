// RowBuilder: objects that all have the same members, one allocation each. Drivers make the rows of
// a result with it.
//
//   RowBuilder row{shape, true};
//   for (…) { row.at(0) = Value{7}; row.at(1) = Value{"Ada"}; rows.push_back(row.take()); }
#pragma once

#include "connectors/sdk/statement.hpp"
#include "connectors/sdk/value.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace millrace::sdk {

class RowBuilder {
public:
  /// @param unique whether no two columns have one name.
  RowBuilder(std::shared_ptr<const ResultShape> shape, bool unique);

  std::size_t size() const noexcept { return values_.size(); }

  /// The value of that column in the row that is made now; null until it is set.
  Value& at(std::size_t column) noexcept { return values_[column]; }

  /// The row, an object by column name; of columns of one name the last one's value stands. The
  /// next row begins with nulls.
  Value take();

private:
  std::shared_ptr<const ResultShape> shape_;
  std::vector<Value> values_;
  bool unique_;
};

}  // namespace millrace::sdk
