#include "actors/steps/transform.hpp"

#include <utility>

namespace millrace::actors {

using sdk::Error;
using sdk::ErrorKind;
using sdk::Value;

namespace {

sdk::Result<Value> base_of(const dsl::Transform& spec, const sdk::Scope& scope) {
  if (!spec.from)
    return Value::object();
  auto base = spec.from->evaluate(scope);
  if (!base)
    return base;
  const bool members_wanted = !spec.set.empty() || !spec.pick.empty() || !spec.drop.empty()
                              || !spec.rename.empty();
  if (members_wanted && base->is_null())
    return Value::object();
  if (members_wanted && !base->is_object())
    return Error{ErrorKind::data,
                 "transform wants an object to start from, and " + spec.from->text() + " is "
                   + std::string{to_string(base->kind())},
                 {.hint = "name one with 'from:', or build it with 'set:'"}};
  return base;
}

Value picked(const Value& from, const std::vector<std::string>& names) {
  auto out = Value::object();
  out.reserve(names.size());
  for (const auto& name : names) {
    if (const auto* value = from.find(name))
      out.set(name, *value);
  }
  return out;
}

sdk::Result<Value> renamed(Value from,
                           const std::vector<std::pair<std::string, std::string>>& names) {
  auto out = Value::object();
  out.reserve(from.size());
  for (const auto& member : from.members()) {
    std::string_view name = member.name.as_string();
    for (const auto& [old_name, new_name] : names) {
      if (old_name == name) {
        name = new_name;
        break;
      }
    }
    if (out.find(name))
      return Error{ErrorKind::data,
                   "rename gives two members the name '" + std::string{name} + "'",
                   {.hint = "drop one of them first"}};
    out.set(name, member.value);
  }
  return out;
}

}  // namespace

sdk::Result<Value> transform(const dsl::Transform& spec, const sdk::Record& record) {
  const sdk::Scope scope{.record = &record};
  auto out = base_of(spec, scope);
  if (!out)
    return out;
  if (!spec.from)
    out->reserve(spec.set.size());
  for (const auto& [name, expression] : spec.set) {
    auto value = expression->evaluate(scope);
    if (!value)
      return value;
    out->set(name, std::move(*value));
  }
  if (!spec.pick.empty())
    *out = picked(*out, spec.pick);
  for (const auto& name : spec.drop)
    out->erase(name);
  if (!spec.rename.empty())
    return renamed(std::move(*out), spec.rename);
  return out;
}

}  // namespace millrace::actors
