#include "connectors/sdk/row_builder.hpp"

#include "connectors/sdk/value_node.hpp"

#include <new>
#include <utility>

namespace millrace::sdk {

RowBuilder::RowBuilder(std::shared_ptr<const ResultShape> shape, bool unique)
  : shape_{std::move(shape)}, values_(shape_->names().size()), unique_{unique} {
}

Value RowBuilder::take() {
  const auto& names = shape_->names();
  if (names.empty())
    return Value::object();
  auto* node = new_container(ValueKind::object, names.size());
  auto* members = node->members();
  for (std::size_t i = 0; i < names.size(); ++i)
    new (members + i) Member{names[i], std::move(values_[i])};
  node->size = static_cast<std::uint32_t>(names.size());
  auto row = ValueAccess::adopt(ValueKind::object, node);
  if (!unique_ || names.size() > unindexed_members)
    unite_members(node);
  return row;
}

}  // namespace millrace::sdk
