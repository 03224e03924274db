// Values into PostgreSQL's text form, by the type that the server wants.
#pragma once

#include "connectors/postgres/types.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/set_form.hpp"

#include <span>
#include <string>
#include <vector>

namespace millrace::postgres {

/// Parameters as libpq takes them; keeps its buffers from one statement to the next.
class EncodedParameters {
public:
  /// @param types as the server described them; empty where nobody asked.
  /// @returns an error for text that PostgreSQL cannot hold (NUL).
  sdk::Status encode(const sdk::Parameters& parameters, std::span<const Oid> types);

  /// One array per parameter of the members' statement, and their number where no rows come back.
  /// @returns an error also where a member has another number of parameters.
  sdk::Status encode_members(const std::vector<sdk::SetMember>& members, const sdk::SetForm& form,
                             std::span<const Oid> types);

  /// One more: a list of types, or null.
  void add_types(const std::vector<Oid>* types);

  int count() const noexcept { return static_cast<int>(pointers_.size()); }

  const char* const* values() const noexcept { return pointers_.data(); }

private:
  void start(std::size_t count);

  std::vector<std::string> texts_;
  std::vector<const char*> pointers_;
};

/// The type to declare for a value where the server cannot tell by itself.
Oid type_for(const sdk::Value& value);

/// Appends the text form of a value; null only where `type` is JSON.
void append_text(std::string& out, const sdk::Value& value, Oid type);

}  // namespace millrace::postgres
