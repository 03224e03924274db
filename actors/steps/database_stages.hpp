// The stages of database steps, by how a record meets its server.
#pragma once

#include "actors/pipeline/stage.hpp"
#include "dsl/program.hpp"

namespace millrace::actors {

/// executeSql and the CRUD operations outside a transaction.
StagePtr make_autocommit_stage(const dsl::StepProgram& step, const dsl::DatabaseCall& call,
                               const StageEnv& env);

/// executeBatch and dbConnection outside a transaction: one request per record.
StagePtr make_per_record_stage(const dsl::StepProgram& step, const dsl::DatabaseCall& call,
                               const StageEnv& env);

/// executeSql and select whose rows flow on as records.
StagePtr make_stream_stage(const dsl::StepProgram& step, const dsl::DatabaseCall& call,
                           const StageEnv& env);

/// copyIn outside a transaction.
StagePtr make_copy_stage(const dsl::StepProgram& step, const dsl::DatabaseCall& call,
                         const StageEnv& env);

/// A step of a flat span: begins, uses or ends the transaction that its record carries.
StagePtr make_span_stage(const dsl::StepProgram& step, const dsl::DatabaseCall& call,
                         const StageEnv& env);

/// A `transaction` block.
StagePtr make_transaction_stage(const dsl::StepProgram& step, const dsl::TransactionBlock& block,
                                const StageEnv& env);

/// The block that `delivery: exactly-once` makes.
StagePtr make_exactly_once_stage(const dsl::StepProgram& step, const dsl::TransactionBlock& block,
                                 const StageEnv& env);

/// The one of these that a call needs.
StagePtr make_database_stage(const dsl::StepProgram& step, const dsl::DatabaseCall& call,
                             const StageEnv& env);

}  // namespace millrace::actors
