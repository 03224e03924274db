#include "connectors/sdk/json.hpp"
#include "connectors/sdk/sql/placeholder.hpp"
#include "dsl/document/load_support.hpp"

#include <gmock/gmock.h>

namespace millrace::dsl {
namespace {

using sdk::Value;
using testing::ElementsAre;

const PipelineProgram& only(const std::shared_ptr<const Program>& program) {
  return program->pipelines.at(0);
}

template <class Body>
const Body& body(const StepList& list, std::size_t index) {
  return std::get<Body>(list.steps.at(index)->body);
}

TEST(CompileTest, GivesSlotsOnlyToOutputs) {
  const auto program = test::program_of("name: p\n"
                                        "steps:\n"
                                        "  - {name: in, type: stdin}\n"
                                        "  - {name: some, type: filter, when: \"$.in.a == 1\"}\n"
                                        "  - {name: shape, type: transform, set: {b: \"$.in.a\"}}\n"
                                        "  - {type: log, message: \"x ${$.shape.b}\"}\n"
                                        "  - {name: out, type: stdout}\n");
  const auto& pipeline = only(program);
  EXPECT_THAT(pipeline.slots, ElementsAre("in", "shape"));
  EXPECT_FALSE(pipeline.source.meta.has_value());
  EXPECT_EQ(pipeline.steps.steps[0]->output, sdk::no_slot);
  EXPECT_EQ(pipeline.steps.steps[0]->input, 0);
  EXPECT_EQ(pipeline.steps.steps[1]->output, 1);
  EXPECT_EQ(pipeline.steps.steps[3]->input, 1);
  EXPECT_EQ(pipeline.steps.steps[3]->output, sdk::no_slot);
  EXPECT_EQ(pipeline.steps.result, 1);
}

TEST(CompileTest, GivesMetaASlotWhereItIsRead) {
  const auto program = test::program_of(
    "name: p\n"
    "steps:\n"
    "  - {name: in, type: stdin}\n"
    "  - {name: shape, type: transform, set: {b: \"$.meta.in.line\"}}\n");
  EXPECT_EQ(only(program).source.meta, sdk::Slot{1});
}

TEST(CompileTest, NamesAPipelineAfterItsFile) {
  EXPECT_EQ(only(test::program_of("steps: [{name: in, type: stdin}]\n")).name, "orders");
}

TEST(CompileTest, ChoosesTheOperationByItsKeyOrItsPlace) {
  EXPECT_EQ(
    only(test::program_of("steps: [{type: timer, cron: \"0 3 * * *\"}]\n")).source.operation,
    "cron");
  EXPECT_EQ(only(test::program_of("steps: [{type: timer, every: 5s}]\n")).source.operation,
            "every");
  const auto program = test::program_of("steps: [{type: file, path: a}, {type: file, path: b}]\n");
  EXPECT_EQ(only(program).source.operation, "read");
  EXPECT_EQ(only(program).steps.steps[0]->operation, "write");
}

TEST(CompileTest, NestedStepsSeeTheOutputsAroundThemAndPutOutUnderTheirStep) {
  const auto program = test::program_of(
    "steps:\n"
    "  - {name: in, type: stdin}\n"
    "  - name: route\n"
    "    type: switch\n"
    "    cases:\n"
    "      - {when: \"$.in.country == 'DE'\", steps: [{name: german, type: transform, set: {tax: "
    "\"$.in.total\"}}]}\n"
    "      - {otherwise: true, steps: [{name: other, type: transform, set: {tax: 0}}]}\n"
    "  - {name: out, type: stdout, value: \"$.route.tax\"}\n");
  const auto& pipeline = only(program);
  const auto& route = body<Switch>(pipeline.steps, 0);
  ASSERT_EQ(route.cases.size(), 2U);
  EXPECT_NE(route.cases[0].when, nullptr);
  EXPECT_EQ(route.cases[1].when, nullptr);
  EXPECT_EQ(route.cases[0].steps.result, route.cases[0].steps.steps[0]->output);
  EXPECT_EQ(pipeline.slots[pipeline.steps.steps[0]->output], "route");
  EXPECT_EQ(pipeline.steps.steps[1]->input, pipeline.steps.steps[0]->output);
}

TEST(CompileTest, HidesWhatIsInsideABranch) {
  const auto loaded = test::load_text("steps:\n"
                                      "  - {name: in, type: stdin}\n"
                                      "  - {name: both, type: parallel, branches: {a: {steps: "
                                      "[{name: inner, type: transform, set: {x: 1}}]}}}\n"
                                      "  - {name: out, type: stdout, value: \"$.inner.x\"}\n");
  EXPECT_EQ(loaded.diagnostics.error_count(), 1U);
}

TEST(CompileTest, BindsTheItemOfAForeachAndWhatIsCollected) {
  const auto program = test::program_of(
    "steps:\n"
    "  - {name: in, type: stdin}\n"
    "  - name: lines\n"
    "    type: foreach\n"
    "    in: \"$.in.lines\"\n"
    "    as: line\n"
    "    steps: [{name: price, type: transform, set: {value: \"$.line.price\"}}]\n"
    "    collect: \"$.price.value\"\n");
  const auto& each = body<Foreach>(only(program).steps, 0);
  sdk::Record record;
  record.set(each.item, *sdk::parse_json(R"({"price": 3})"));
  const auto& price = body<Transform>(each.steps, 0);
  const auto value = *price.set.at(0).value->evaluate({.record = &record});
  EXPECT_EQ(value, Value{3});
  record.set(each.steps.result, Value::object({{"value", value}}));
  EXPECT_EQ(*each.collect->evaluate({.record = &record}), Value{3});
}

TEST(CompileTest, ReshapesTheLastOutputWhereATransformSetsNothing) {
  const auto program = test::program_of(
    "steps:\n"
    "  - {name: in, type: stdin}\n"
    "  - {name: less, type: transform, drop: [b], rename: {old: new}}\n");
  const auto& shape = body<Transform>(only(program).steps, 0);
  ASSERT_NE(shape.from, nullptr);
  EXPECT_EQ(shape.from->text(), "$.in");
  EXPECT_THAT(shape.rename, ElementsAre(std::pair<std::string, std::string>{"old", "new"}));
}

TEST(CompileTest, PutsAStepsRulesBeforeThoseOfItsPipeline) {
  const auto program = test::program_of("onError: {then: skip}\n"
                                        "steps:\n"
                                        "  - {name: in, type: stdin}\n"
                                        "  - {name: wait, type: delay, for: 1s, onError: {match: "
                                        "[DatabaseTimeoutError, \"23*\"], then: stop}}\n");
  const auto& errors = only(program).steps.steps[0]->errors;
  ASSERT_EQ(errors.rules.size(), 2U);
  EXPECT_EQ(errors.find(sdk::Error{sdk::ErrorKind::timeout, ""})->then, ErrorAction::stop);
  EXPECT_EQ(errors.find(sdk::Error{sdk::ErrorKind::execution, "", {.code = "23505"}})->then,
            ErrorAction::stop);
  EXPECT_EQ(errors.find(sdk::Error{sdk::ErrorKind::data, ""})->then, ErrorAction::skip);
  EXPECT_EQ(only(program).source.errors.rules.size(), 1U);
}

TEST(CompileTest, GivesTheDeadLetterTheWholeRecordAndItsError) {
  const auto program = test::program_of(
    "onError: {then: deadLetter}\n"
    "deadLetter: {type: file, operation: write, path: dead.jsonl}\n"
    "steps:\n"
    "  - {name: in, type: stdin}\n"
    "  - {name: wait, type: delay, for: 1s}\n");
  const auto& pipeline = only(program);
  ASSERT_NE(pipeline.dead_letter, nullptr);
  ASSERT_NE(pipeline.dead_letter_shape, nullptr);
  EXPECT_EQ(pipeline.dead_letter->input, pipeline.dead_letter_shape->output);
  const auto& shape = std::get<Transform>(pipeline.dead_letter_shape->body);
  sdk::Record record;
  record.set(0, Value{7});
  record.set(pipeline.steps.steps[0]->errors.error_slot, Value{"broken"});
  EXPECT_EQ(*shape.set.at(0).value->evaluate({.record = &record}), Value::object({{"in", 7}}));
  EXPECT_EQ(*shape.set.at(1).value->evaluate({.record = &record}), Value{"broken"});
}

TEST(CompileTest, ReadsTheServersInit) {
  test::FakeEnvironment world;
  world.files["schema.sql"] = "CREATE TABLE a (x INT); -- one\nINSERT INTO a VALUES (1);\n";
  const auto program = test::program_of(
    "servers: {db: {url: \"sqlite:///a.db\", init: schema.sql}}\n"
    "steps: [{name: in, type: stdin}]\n",
    world);
  EXPECT_EQ(program->servers.at(0).init.size(), 2U);
}

TEST(CompileTest, OrdersNamedParametersAsTheStatementHasThem) {
  const auto program = test::program_of(
    "servers: {db: {url: \"sqlite:///a.db\"}}\n"
    "steps:\n"
    "  - {name: in, type: stdin}\n"
    "  - {name: q, type: database, query: \"SELECT :b, :a, :b\", parameters: {a: \"$.in.a\", b: "
    "\"CURRENT_DATE\"}}\n");
  const auto& call = body<DatabaseCall>(only(program).steps, 0);
  ASSERT_EQ(call.statements.at(0).parameters.size(), 2U);
  EXPECT_EQ(call.statements[0].parameters[0].name, "b");
  EXPECT_EQ(call.statements[0].parameters[0].literal, "currentdate");
  EXPECT_EQ(call.statements[0].parameters[1].name, "a");
}

TEST(CompileTest, MakesStatementsOfTheCrudOperations) {
  const auto program = test::program_of(
    "servers: {db: {url: \"sqlite:///a.db\"}}\n"
    "steps:\n"
    "  - {name: in, type: stdin}\n"
    "  - {name: a, type: database, operation: insert, table: orders, values: {id: \"$.in.id\", at: "
    "\"currentdatetime()\"}}\n"
    "  - {name: b, type: database, operation: update, table: orders, values: {state: done}, where: "
    "{id: \"$.in.id\", gone: null}}\n"
    "  - {name: c, type: database, operation: select, table: orders, where: {id: 1}, orderBy: [id "
    "desc], limit: 5}\n"
    "  - {name: d, type: database, operation: upsert, table: orders, values: {id: 1, n: 2}, key: "
    "id}\n"
    "  - {name: e, type: database, operation: delete, table: orders, all: true}\n"
    "  - {name: f, type: database, operation: update, query: \"UPDATE orders SET a = ?\", "
    "parameters: [1]}\n");
  const auto& steps = only(program).steps;
  EXPECT_EQ(body<DatabaseCall>(steps, 0).statements.at(0).parameters.at(1).literal,
            "currentdatetime");
  EXPECT_EQ(body<DatabaseCall>(steps, 1).statements.at(0).parameters.size(), 2U);
  EXPECT_EQ(body<DatabaseCall>(steps, 2).statements.at(0).parameters.size(), 2U);
  EXPECT_EQ(body<DatabaseCall>(steps, 5).statements.at(0).sql->parameter_count, 1U);
}

TEST(CompileTest, MarksAnExplicitTransaction) {
  const auto program = test::program_of(
    "servers: {db: {url: \"sqlite:///a.db\"}}\n"
    "onError: {retry: {attempts: 5}, then: skip}\n"
    "steps:\n"
    "  - {name: in, type: stdin}\n"
    "  - {name: look, type: database, query: \"SELECT 1\"}\n"
    "  - {name: begin, type: database, operation: beginSql, isolation: serializable}\n"
    "  - {name: write, type: database, query: \"DELETE FROM t\"}\n"
    "  - name: route\n"
    "    type: switch\n"
    "    cases:\n"
    "      - {when: \"$.in.ok == true\", steps: [{name: end, type: database, operation: "
    "commitSql}]}\n"
    "      - {otherwise: true, steps: [{name: back, type: database, operation: rollbackSql}]}\n"
    "  - {name: after, type: database, query: \"SELECT 1\"}\n");
  const auto& pipeline = only(program);
  ASSERT_EQ(pipeline.spans.size(), 1U);
  EXPECT_EQ(pipeline.spans[0].opened_by, "begin");
  EXPECT_EQ(pipeline.spans[0].closed_by, "end, back");
  EXPECT_EQ(body<DatabaseCall>(pipeline.steps, 0).span, 0U);
  EXPECT_TRUE(body<DatabaseCall>(pipeline.steps, 1).opens_span);
  EXPECT_EQ(body<DatabaseCall>(pipeline.steps, 1).transaction.isolation, "serializable");
  EXPECT_EQ(body<DatabaseCall>(pipeline.steps, 2).span, 1U);
  EXPECT_TRUE(body<DatabaseCall>(body<Switch>(pipeline.steps, 3).cases[1].steps, 0).closes_span);
  EXPECT_EQ(body<DatabaseCall>(pipeline.steps, 4).span, 0U);
  // Nothing inside is tried again alone; outside the pipeline's rule holds as it stands.
  EXPECT_EQ(
    pipeline.steps.steps[2]->errors.find(sdk::Error{sdk::ErrorKind::data, ""})->retry->attempts,
    1U);
  EXPECT_EQ(
    pipeline.steps.steps[4]->errors.find(sdk::Error{sdk::ErrorKind::data, ""})->retry->attempts,
    5U);
}

TEST(CompileTest, BeginsATransactionAtTheFirstStatementWhereOnlyItsCommitIsSaid) {
  const auto program = test::program_of(
    "servers: {db: {url: \"sqlite:///a.db\"}}\n"
    "steps:\n"
    "  - {name: in, type: stdin}\n"
    "  - {name: write, type: database, query: \"DELETE FROM t\"}\n"
    "  - {name: more, type: database, query: \"DELETE FROM u\"}\n"
    "  - {name: end, type: database, operation: commitSql}\n");
  const auto& pipeline = only(program);
  ASSERT_EQ(pipeline.spans.size(), 1U);
  EXPECT_TRUE(pipeline.spans[0].implicit);
  EXPECT_TRUE(body<DatabaseCall>(pipeline.steps, 0).opens_span);
  EXPECT_EQ(body<DatabaseCall>(pipeline.steps, 1).span, 1U);
  EXPECT_TRUE(body<DatabaseCall>(pipeline.steps, 2).closes_span);
}

TEST(CompileTest, KeepsABlockAsOneStepWithItsOwnSpan) {
  const auto program = test::program_of(
    "servers: {db: {url: \"sqlite:///a.db\"}}\n"
    "steps:\n"
    "  - {name: in, type: stdin}\n"
    "  - name: block\n"
    "    type: database\n"
    "    operation: transaction\n"
    "    retry: {attempts: 4}\n"
    "    steps: [{name: write, type: database, query: \"DELETE FROM t\"}, {name: read, type: "
    "database, query: \"SELECT 1 AS n\"}]\n"
    "  - {name: out, type: stdout, value: \"$.read.rows[0].n\"}\n");
  const auto& block = body<TransactionBlock>(only(program).steps, 0);
  EXPECT_EQ(block.span, 1U);
  EXPECT_EQ(block.options.retry->attempts, 4U);
  EXPECT_EQ(body<DatabaseCall>(block.steps, 1).span, 1U);
}

TEST(CompileTest, TakesAServerFromTheRecord) {
  const auto program = test::program_of(
    "servers: {a: {url: \"sqlite:///a.db\"}, b: {url: \"sqlite:///b.db\"}}\n"
    "steps:\n"
    "  - {name: in, type: stdin}\n"
    "  - {name: q, type: database, server: \"$.in.server\", query: \"SELECT 1\"}\n");
  EXPECT_NE(body<DatabaseCall>(only(program).steps, 0).server_name, nullptr);
}

TEST(CompileTest, MergesFilesAndFolders) {
  test::FakeEnvironment world;
  world.files = {
    {"dir/servers.yaml", "servers: {db: {url: \"sqlite:///a.db\"}}\n"},
    {"dir/a.yml",
     "steps: [{name: in, type: stdin}, {name: q, type: database, query: \"SELECT 1\"}]\n"},
    {"dir/notes.txt", "[[["},
    {"dir/.hidden.yaml", "[[["},
    {"b.yaml", "steps: [{name: in, type: stdin}]\nx-anything: 1\n"}};
  const auto loaded = load(
    {.files = {"dir", "b.yaml"}, .connectors = test::fake_connectors(), .environment = &world});
  EXPECT_EQ(loaded.diagnostics.to_string(), "");
  ASSERT_NE(loaded.program, nullptr);
  EXPECT_EQ(loaded.program->pipelines.size(), 2U);
}

TEST(CompileTest, TakesKeysFromAPreset) {
  const auto program = test::program_of(
    "operations:\n"
    "  pause: {type: delay, for: 5s, description: of the preset}\n"
    "steps: [{name: in, type: stdin}, {name: a, operation: pause}, {name: b, operation: pause, "
    "for: 1s}]\n");
  EXPECT_EQ(body<Delay>(only(program).steps, 0).duration, std::chrono::seconds{5});
  EXPECT_EQ(body<Delay>(only(program).steps, 1).duration, std::chrono::seconds{1});
}

TEST(PresetTest, ThatIsCalledLikeAnOperationMayStandInsideItself) {
  const std::string head = "name: a\nservers: {one: {url: \"sqlite:///1\"}, two: {url: "
                           "\"sqlite:///2\"}}\n";
  const std::string steps =
    "steps:\n  - {name: in, type: stdin}\n"
    "  - {name: outer, operation: transaction, server: one, steps: [{name: inner, operation: "
    "transaction, server: two, steps: [{name: q, type: database, server: two, query: \"DELETE FROM "
    "t\", parameters: []}]}]}\n";
  auto loaded = test::load_text(head + "operations: {transaction: {type: database}}\n" + steps);
  EXPECT_NE(loaded.program, nullptr) << loaded.diagnostics.to_string();
  loaded = test::load_text(head
                           + "operations: {transaction: {type: database, server: one, steps: "
                             "[{name: q, operation: transaction}]}}\n"
                             "steps:\n  - {name: in, type: stdin}\n  - {name: a, operation: "
                             "transaction}\n");
  EXPECT_THAT(loaded.diagnostics.to_string(),
              testing::HasSubstr("the preset 'transaction' uses itself"));
}

}  // namespace
}  // namespace millrace::dsl
