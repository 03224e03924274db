#include "actors/steps/statement_maker.hpp"

#include <array>
#include <utility>

namespace millrace::actors {

using sdk::Error;
using sdk::ErrorKind;

namespace {

constexpr std::array dialects{sdk::sql::Dialect::postgres, sdk::sql::Dialect::sqlite};

}  // namespace

sdk::sql::Dialect dialect_of(const dsl::ServerProgram& server) noexcept {
  return server.driver == "sqlite" ? sdk::sql::Dialect::sqlite : sdk::sql::Dialect::postgres;
}

sdk::Status StatementMaker::prepare() {
  for (const auto dialect : dialects) {
    auto& texts = texts_.emplace_back();
    for (const auto& statement : call_.statements) {
      auto text = BoundSql::make(*statement.sql, statement.parameters, dialect);
      if (!text)
        return std::move(text).error();
      texts.push_back(std::move(*text));
    }
  }
  return {};
}

sdk::Result<std::size_t> StatementMaker::server_of(const sdk::Record& record) const {
  if (!call_.server_name)
    return call_.server;
  auto name = call_.server_name->evaluate({.record = &record});
  if (!name)
    return std::move(name).error();
  if (name->is_string()) {
    for (std::size_t i = 0; i < program_.servers.size(); ++i) {
      if (program_.servers[i].name == name->as_string()
          && program_.servers[i].protocol == "database")
        return i;
    }
  }
  return Error{ErrorKind::expression,
               call_.server_name->text() + " does not give the name of a database server",
               {.hint = "it must be one of those declared under `servers:`"}};
}

sdk::Result<MadeStatement> StatementMaker::make(std::size_t server, std::size_t number,
                                                const sdk::Record& record) {
  const auto dialect = dialect_of(program_.servers[server]);
  MadeStatement made;
  if (call_.dynamic_sql) {
    auto text = dynamic_text(dialect, record);
    if (!text)
      return std::move(text).error();
    made.text = *text;
  } else {
    made.text = &texts_[static_cast<std::size_t>(dialect)][number];
  }
  auto parameters = made.text->parameters(record);
  if (!parameters)
    return std::move(parameters).error();
  made.parameters = std::move(*parameters);
  return made;
}

sdk::Result<const BoundSql*> StatementMaker::dynamic_text(sdk::sql::Dialect dialect,
                                                          const sdk::Record& record) {
  auto value = call_.dynamic_sql->evaluate({.record = &record});
  if (!value)
    return std::move(value).error();
  if (!value->is_string())
    return Error{ErrorKind::data, call_.dynamic_sql->text() + " gives no SQL text but "
                                    + std::string{to_string(value->kind())}};
  auto key = std::string{value->as_string()}
             + (dialect == sdk::sql::Dialect::sqlite ? "\nsqlite" : "\npostgres");
  if (const auto found = dynamic_.find(key); found != dynamic_.end())
    return found->second.get();
  auto statement = sdk::sql::parse_statement(value->as_string());
  if (!statement)
    return std::move(statement).error();
  auto text = BoundSql::make(*statement, call_.dynamic_parameters, dialect);
  if (!text)
    return std::move(text).error();
  if (dynamic_.size() >= most_dynamic_texts) {
    retired_.clear();
    for (auto& [sql, old] : dynamic_)
      retired_.push_back(std::move(old));
    dynamic_.clear();
  }
  auto owned = std::make_unique<BoundSql>(std::move(*text));
  return dynamic_.emplace(std::move(key), std::move(owned)).first->second.get();
}

}  // namespace millrace::actors
