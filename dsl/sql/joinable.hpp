// What the words of a statement say about running it together with others: under one Sync with
// its neighbours, or many parameter sets of it as one statement. Only what is listed is allowed;
// the catalog has a word too, about the names that are collected here.
//
//   const auto words = examine_joinable(*one_statement);
//   if (words.refusal.empty() && words.set_form != SetFormKind::none) …
#pragma once

#include "connectors/sdk/sql/lexer.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace millrace::dsl {

enum class SetFormKind : std::uint8_t { none, select, insert };

struct Joinable {
  std::string
    refusal;  // why it shares no transaction with others; empty: as far as words go it may
  std::string set_refusal;  // why many sets of it are not one statement; empty: see `set_form`
  SetFormKind set_form = SetFormKind::none;
  bool reads = false;            // changes nothing, unless by a function that it calls
  bool ordered = false;          // its rows have an order
  std::uint32_t parameters = 0;  // the highest `$n`
  // Every identifier, as the catalog spells it; each once. None where the refusal does not ask the
  // catalog: what only locks rows has them.
  std::vector<std::string> names;
  std::vector<std::string> operators;  // each once
};

/// @param tokens of one statement, with `$n` for its parameters.
Joinable examine_joinable(std::span<const sdk::sql::SqlToken> tokens);

/// An element of an INSERT's VALUES, as a range of the tokens that are not blank.
struct InsertParts {
  std::vector<const sdk::sql::SqlToken*> target;  // INTO t [AS a], without the columns
  std::vector<const sdk::sql::SqlToken*> overriding;
  std::vector<const sdk::sql::SqlToken*> columns;  // one each; empty where none are named
  std::vector<std::vector<const sdk::sql::SqlToken*>> elements;  // DEFAULT stays in
};

/// INSERT INTO t [AS a] [(…)] [OVERRIDING …] VALUES (…) of plain elements.
/// @returns false with the reason where it is anything else.
bool split_insert(std::span<const sdk::sql::SqlToken> tokens, InsertParts& parts,
                  std::string& reason);

}  // namespace millrace::dsl
