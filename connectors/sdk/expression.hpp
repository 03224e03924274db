// Expression: something that dsl/ compiled and a step evaluates over a record. Connectors take them
// as options (`key`, `value`) and know no more of them than this.
#pragma once

#include "connectors/sdk/record.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"

#include <memory>
#include <string>

namespace millrace::sdk {

/// What an expression sees. `result` is the root `$` of `response` mappings; elsewhere the record
/// is.
struct Scope {
  const Record* record = nullptr;
  const Value* result = nullptr;
};

/// Immutable and thread-safe.
class Expression {
public:
  virtual ~Expression() = default;

  /// @returns kind `expression` where the record does not fit, kind `data` where a value does not.
  virtual Result<Value> evaluate(const Scope& scope) const = 0;

  /// Its value where it is the same for every record, else null.
  virtual const Value* constant() const noexcept { return nullptr; }

  /// As the user wrote it; "<secret>" where it holds a secret.
  virtual std::string text() const = 0;

  /// Whether a part of it came from outside (`${ENV:…}`, `${FILE:…}`, env()): neither it nor what
  /// it gives may stand in a message.
  virtual bool is_secret() const noexcept { return false; }
};

using ExpressionPtr = std::shared_ptr<const Expression>;

/// A condition (`when`): RFC 9535 filter syntax over the record.
class Condition {
public:
  virtual ~Condition() = default;
  virtual Result<bool> test(const Scope& scope) const = 0;
  virtual std::string text() const = 0;
};

using ConditionPtr = std::shared_ptr<const Condition>;

}  // namespace millrace::sdk
