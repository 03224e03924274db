// What `${ENV:…}` and `${FILE:…}` put into a file is printed nowhere: not by mistakes, not by
// explain, not by graph, wherever in the file it stands.
#include "dsl/document/load_support.hpp"
#include "dsl/explain.hpp"
#include "dsl/graph.hpp"
#include "dsl/option_tables.hpp"

#include <gmock/gmock.h>

namespace millrace::dsl {
namespace {

using testing::HasSubstr;
using testing::Not;

// Each could slip through another check: a name, a number, a path, an expression, SQL, an address.
const std::vector<std::string> planted{"pl4nted",
                                       "4711470",
                                       "997",
                                       "$.pl4nted",
                                       "pl4nted('",
                                       "SELECT 'pl4nted",
                                       "SELECT ? FROM pl4nted",
                                       "postgresql://u@h/d?pl4nted=1",
                                       "pl4nted=x",
                                       "/pl4nted/x.sql",
                                       "sqlite:///pl4nted?pl4nted=1"};

std::string everything_printed(const std::string& file, const std::string& secret) {
  test::FakeEnvironment world;
  world.values = {{"SECRET", secret}};
  world.files["secret"] = secret + "\n";
  const auto loaded = test::load_text(file, world);
  auto text = loaded.diagnostics.to_string();
  if (loaded.program)
    text += explain(*loaded.program) + to_mermaid(*loaded.program) + to_dot(*loaded.program);
  return text;
}

void expect_silence(const std::string& file) {
  for (const auto& secret : planted) {
    const auto text = everything_printed(file, secret);
    EXPECT_THAT(text, Not(HasSubstr("pl4nted"))) << file;
    EXPECT_THAT(text, Not(HasSubstr("4711470"))) << file;
    EXPECT_THAT(text, Not(HasSubstr("997"))) << file;
  }
}

std::string yaml_key(const StepTable& table) {
  return "type: " + table.type
         + (table.operation.empty() ? std::string{} : ", operation: " + table.operation);
}

// A value that the option takes, so that what is planted in another one is reached.
std::string good_value(const sdk::OptionSpec& spec) {
  static const std::vector<std::pair<std::string, std::string>> by_name{
    {"query", "\"SELECT 1\""},
    {"parameters", "[]"},
    {"values", "{a: 1}"},
    {"cases", "[{otherwise: true, steps: [{type: delay, for: 1s}]}]"},
    {"branches", "{a: {steps: [{type: delay, for: 1s}]}}"},
    {"steps", "[{type: delay, for: 1s}]"},
    {"statements", "[{query: \"SELECT 1\", parameters: []}]"},
    {"rate", "1/s"},
    {"for", "1s"},
    {"every", "1s"}};
  for (const auto& [name, value] : by_name) {
    if (spec.name == name)
      return value;
  }
  return "x";
}

std::string step_with(const StepTable& table, const std::string& option, const std::string& value) {
  std::string step = "{name: here, " + yaml_key(table);
  for (const auto& spec : table.options) {
    if (spec.required && spec.name != option)
      step += ", " + spec.name + ": " + good_value(spec);
  }
  return step + ", " + option + ": " + value + "}";
}

const std::vector<std::string> shapes{"\"${ENV:SECRET}\"", "[\"${FILE:secret}\"]",
                                      "{a: \"${ENV:SECRET}\"}", "\"$.${ENV:SECRET}\"",
                                      "{path: \"$.in['${ENV:SECRET}']\", required: true}"};

TEST(SecretsTest, NoOptionOfAStepShowsOne) {
  for (const auto& table : step_tables(test::fake_connectors())) {
    auto options = table.options;
    for (auto& common : common_options(table.role))
      options.push_back(common);
    for (const auto& option : options) {
      if (option.name == "type" || option.name == "name" || option.name == "operation")
        continue;
      for (const auto& shape : shapes) {
        const auto step = step_with(table, option.name, shape);
        const std::string steps = table.role == StepRole::source
                                    ? "  - " + step + "\n  - {type: drop}\n"
                                    : "  - {name: in, type: stdin}\n  - " + step + "\n";
        expect_silence("name: orders\nservers:\n  db: {url: \"sqlite::memory:\"}\nsteps:\n"
                       + steps);
      }
    }
  }
}

TEST(SecretsTest, NoOptionOfAServerOrSchemeShowsOne) {
  const std::string steps = "steps:\n  - {name: in, type: stdin}\n"
                            "  - {name: q, type: database, query: SELECT 1, parameters: []}\n";
  const auto tables = server_tables(test::fake_connectors());
  for (const auto& option : tables.front().options) {
    for (const auto& shape : shapes) {
      const std::string url = option.name == "url" ? "" : "url: \"sqlite:///x.db\", ";
      expect_silence("name: orders\nservers:\n  db: {" + url + option.name + ": " + shape + "}\n"
                     + steps);
    }
  }
  for (const auto& option : scheme_options()) {
    for (const auto& shape : shapes)
      expect_silence("name: orders\nservers:\n  db: {url: \"postgresql://h/d\"}\nsecuritySchemes:\n"
                     "  s: {"
                     + option.name + ": " + shape + "}\n" + steps);
  }
}

TEST(SecretsTest, NoOptionOfAFileAPipelineOrAnErrorRuleShowsOne) {
  const std::string steps = "steps:\n  - {name: in, type: stdin}\n  - {type: drop}\n";
  for (const auto& shape : shapes) {
    for (const auto& option : file_options()) {
      if (option.name != "steps")
        expect_silence(option.name + ": " + shape + "\n" + steps);
    }
    expect_silence("name: orders\nonError: {retry: {attempts: " + shape + "}}\n" + steps);
    for (const auto& option : rule_options())
      expect_silence("name: orders\nonError: {" + option.name + ": " + shape + "}\n" + steps);
    for (const auto* key : {"type", "operation", "name"})
      expect_silence("name: orders\nsteps:\n  - {name: in, type: stdin}\n  - {type: stdout, "
                     + std::string{key} + ": " + shape + "}\n");
    expect_silence("name: orders\noperations: {o: {type: " + shape + ", server: " + shape + "}}\n"
                   + steps);
  }
}

std::string mistakes(const std::string& step) {
  test::FakeEnvironment world;
  world.values = {{"SECRET", "pl4nted"}};
  return test::load_text("name: orders\nsteps:\n  - {name: in, type: stdin}\n  - " + step + "\n",
                         world)
    .diagnostics.to_string();
}

TEST(SecretsTest, MayNotStandInWhatIsPrinted) {
  const std::string refused =
    "'message' is printed, so nothing from ${ENV:…}, ${FILE:…} or env() may be in it\n"
    "  hint: leave the secret out, or write the text itself\n";
  EXPECT_EQ(mistakes("{type: log, message: \"token ${ENV:SECRET}\"}"),
            "orders.yaml:4:26: error: " + refused);
  EXPECT_EQ(mistakes("{type: fail, message: \"token ${env('SECRET')}\"}"),
            "orders.yaml:4:27: error: " + refused);
  EXPECT_EQ(mistakes("{type: log, message: \"${concat('a', env('SECRET'))}\"}"),
            "orders.yaml:4:26: error: " + refused);
  EXPECT_EQ(mistakes("{type: log, message: \"score ${$.in.score}\"}"), "");
}

}  // namespace
}  // namespace millrace::dsl
