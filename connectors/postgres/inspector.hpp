// What the catalog says about a statement's names: whether it may run together with others.
#pragma once

#include "connectors/sdk/database.hpp"

namespace millrace::postgres {

class Inspector final : public sdk::StatementInspector {
public:
  sdk::Statement inspection(const std::vector<std::string>& names,
                            const std::vector<std::string>& operators) const override;
  sdk::Inspection read(const sdk::SqlResult& result) const override;
};

}  // namespace millrace::postgres
