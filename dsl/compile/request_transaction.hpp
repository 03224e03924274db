// `transaction: databaseServer` on a source that answers: the steps from the first database step on
// become a `transaction` block.
#pragma once

#include "connectors/sdk/config_node.hpp"
#include "connectors/sdk/diagnostic.hpp"
#include "dsl/document.hpp"

#include <optional>
#include <string>

namespace millrace::dsl {

/// The first step that uses a database, by itself or inside; null: none does.
const sdk::ConfigNode* first_database_step(const sdk::ConfigNode& steps, const Document& document);

struct WrapBlock {
  std::string name;
  sdk::Place place;
  std::optional<sdk::ConfigNode> server;  // none: the only one
};

/// Puts the steps from the first database step on into a `transaction` block. @returns false where
/// there is none.
bool wrap_from_database(sdk::ConfigNode& steps, const WrapBlock& wanted, const Document& document);

/// Puts the end of `steps` into a block on `server`, which is the value of `transaction`.
/// @returns whether it did; a mistake is reported where no step uses a database.
bool wrap_request(sdk::ConfigNode& steps, const sdk::ConfigNode& server, const Document& document,
                  sdk::Diagnostics& diagnostics);

}  // namespace millrace::dsl
