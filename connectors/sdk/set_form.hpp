// SetForm: many parameter sets of one statement, run as one statement that a driver understands.
#pragma once

#include "connectors/sdk/statement.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace millrace::sdk {

/// A parameter's type, as the catalog has it.
struct ParameterType {
  std::uint32_t type = 0;  // the driver's number of it
  std::string name;        // in SQL
  char delimiter = ',';    // between the elements of its arrays
};

/// What the catalog says about a statement.
struct Inspection {
  std::string lane_refusal;   // why it may neither share a transaction nor be run again; empty: may
  std::string write_refusal;  // the same, if it writes
  std::string set_refusal;    // why its sets are not run as one statement
  std::string insert_refusal;   // the same, if it inserts
  bool calls_volatile = false;  // a function whose value may change: not in set form, no safe retry
  std::vector<ParameterType> parameters;
};

struct SetForm {
  std::string sql;  // parameter n holds the values of parameter n of all sets
  std::shared_ptr<const std::string> plain;  // the statement as it was, which results show
  std::vector<ParameterType> parameters;
  bool rows = false;  // gives rows, the number of their set in front; else each set counts one row
  bool ordered = false;  // and behind that the number of the row within its set
};

struct SetMember {
  std::shared_ptr<const Statement> statement;
  std::uint32_t set = 0;
};

}  // namespace millrace::sdk
