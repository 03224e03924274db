#include "dsl/schema.hpp"

#include "dsl/option_tables.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace millrace::dsl {

namespace {

using sdk::OptionSpec;
using sdk::Value;

Value typed(std::string_view type) {
  return Value::object({{"type", type}});
}

Value types(std::initializer_list<std::string_view> names) {
  auto list = Value::array();
  for (const auto name : names)
    list.push_back(name);
  return Value::object({{"type", list}});
}

Value any_of(std::initializer_list<Value> choices) {
  return Value::object({{"anyOf", Value::array(choices)}});
}

Value reference_to(std::string_view definition) {
  return Value::object({{"$ref", "#/definitions/" + std::string{definition}}});
}

Value array_of(Value items) {
  return Value::object({{"type", "array"}, {"items", std::move(items)}});
}

Value mapping_of(Value values) {
  return Value::object({{"type", "object"}, {"additionalProperties", std::move(values)}});
}

Value text_matching(std::string_view pattern) {
  return Value::object({{"type", "string"}, {"pattern", pattern}});
}

Value text() {
  return types({"string", "number", "boolean"});
}

// A number or the like may also come from outside.
Value or_reference(Value schema) {
  return any_of({std::move(schema), reference_to("reference")});
}

Value object_of(const std::vector<OptionSpec>& specs);

// The schemas of the types that options can have; those not listed accept anything.
struct TypeSchema {
  std::string_view type;
  Value (*make)();
};

Value make_case() {
  return array_of(
    Value::object({{"type", "object"},
                   {"properties", Value::object({{"when", types({"string", "boolean"})},
                                                 {"otherwise", typed("boolean")},
                                                 {"steps", array_of(reference_to("step"))}})},
                   {"required", Value::array({"steps"})},
                   {"additionalProperties", false}}));
}

Value make_branches() {
  return mapping_of(
    Value::object({{"type", "object"},
                   {"properties", Value::object({{"steps", array_of(reference_to("step"))}})},
                   {"required", Value::array({"steps"})},
                   {"additionalProperties", false}}));
}

Value make_statements() {
  const auto parameters = types({"array", "object"});
  return array_of(any_of(
    {typed("string"), Value::object({{"type", "object"},
                                     {"properties", Value::object({{"query", typed("string")},
                                                                   {"parameters", parameters}})},
                                     {"required", Value::array({"query"})},
                                     {"additionalProperties", false}})}));
}

Value make_profiles() {
  return mapping_of(Value::object(
    {{"type", "object"},
     {"properties", Value::object({{"servers", mapping_of(reference_to("server"))},
                                   {"securitySchemes", mapping_of(reference_to("schemes"))}})},
     {"additionalProperties", false}}));
}

const std::array type_schemas{
  TypeSchema{"text", text},
  TypeSchema{"secret text", text},
  TypeSchema{"text template", text},
  TypeSchema{"boolean", [] { return or_reference(typed("boolean")); }},
  TypeSchema{"integer",
             [] {
               return or_reference(any_of({typed("integer"), text_matching("^[+-]?[0-9]+$")}));
             }},
  TypeSchema{"number",
             [] {
               return or_reference(any_of({typed("number"), text_matching("^[+-]?[0-9.eE+-]+$")}));
             }},
  TypeSchema{"duration",
             [] {
               return or_reference(
                 any_of({typed("number"), text_matching("^([0-9]+(\\.[0-9]*)?(ms|s|m|h|d|w))+$"),
                         text_matching("^[0-9]+(\\.[0-9]*)?$")}));
             }},
  TypeSchema{"size",
             [] {
               return or_reference(any_of(
                 {typed("integer"), text_matching("^[0-9]+(\\.[0-9]*)? *([KMGkmg][iI]?)?[bB]?$")}));
             }},
  TypeSchema{"rate",
             [] {
               return or_reference(any_of(
                 {typed("number"), text_matching("^[0-9]+(\\.[0-9]*)?(/(ms|s|m|h|d|w))?$")}));
             }},
  TypeSchema{"list of texts",
             [] {
               return any_of({text(), array_of(text())});
             }},
  TypeSchema{"text or list of texts",
             [] {
               return any_of({text(), array_of(text())});
             }},
  TypeSchema{"condition",
             [] {
               return types({"string", "boolean"});
             }},
  TypeSchema{"mapping of expressions", [] { return typed("object"); }},
  TypeSchema{"mapping of texts", [] { return mapping_of(text()); }},
  TypeSchema{"list or mapping of expressions",
             [] {
               return types({"array", "object"});
             }},
  TypeSchema{"SQL",
             [] {
               return types({"string", "object"});
             }},
  TypeSchema{"list of steps", [] { return array_of(reference_to("step")); }},
  TypeSchema{"step", [] { return reference_to("step"); }},
  TypeSchema{"error rules",
             [] {
               return any_of({reference_to("rule"), array_of(reference_to("rule"))});
             }},
  TypeSchema{"list of cases", make_case},
  TypeSchema{"mapping of branches", make_branches},
  TypeSchema{"list of statements", make_statements},
  TypeSchema{"mapping of servers", [] { return mapping_of(reference_to("server")); }},
  TypeSchema{"mapping of security schemes", [] { return mapping_of(reference_to("schemes")); }},
  TypeSchema{"mapping of pipelines", [] { return mapping_of(reference_to("pipeline")); }},
  TypeSchema{"mapping of presets", [] { return mapping_of(typed("object")); }},
  TypeSchema{"mapping of profiles", make_profiles},
};

Value schema_of(const OptionSpec& spec) {
  Value schema = Value::object();
  if (!spec.choices.empty()) {
    auto words = Value::array();
    for (const auto& word : spec.choices)
      words.push_back(word);
    schema = or_reference(Value::object({{"enum", words}}));
  } else if (!spec.nested.empty()) {
    schema = any_of({object_of(spec.nested), typed("null")});
  } else {
    const auto found = std::ranges::find(type_schemas, spec.type, &TypeSchema::type);
    if (found != type_schemas.end())
      schema = found->make();
  }
  // In draft 7 nothing may stand beside a $ref.
  if (schema.find("$ref"))
    schema = Value::object({{"allOf", Value::array({schema})}});
  auto doc = spec.doc;
  if (!spec.default_text.empty())
    doc += "; default: " + spec.default_text;
  if (!doc.empty())
    schema.set("description", doc);
  return schema;
}

void add_properties(Value& properties, const std::vector<OptionSpec>& specs) {
  for (const auto& spec : specs) {
    const auto schema = schema_of(spec);
    properties.set(spec.name, schema);
    for (const auto& alias : spec.aliases)
      properties.set(alias, schema);
  }
}

// `required`, where an option may be given under one of several names.
void add_required(Value& schema, const std::vector<OptionSpec>& specs) {
  auto required = Value::array();
  auto choices = Value::array();
  for (const auto& spec : specs) {
    if (!spec.required)
      continue;
    if (spec.aliases.empty()) {
      required.push_back(spec.name);
      continue;
    }
    auto names = Value::array({Value::object({{"required", Value::array({spec.name})}})});
    for (const auto& alias : spec.aliases)
      names.push_back(Value::object({{"required", Value::array({alias})}}));
    choices.push_back(Value::object({{"anyOf", names}}));
  }
  if (required.size() > 0)
    schema.set("required", required);
  if (choices.size() > 0)
    schema.set("allOf", choices);
}

Value object_of(const std::vector<OptionSpec>& specs) {
  auto properties = Value::object();
  add_properties(properties, specs);
  auto schema = Value::object(
    {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}});
  add_required(schema, specs);
  return schema;
}

// Any server: its protocol decides; without one it is a database.
Value server_schema(const std::vector<ServerTable>& tables) {
  auto schema = object_of(tables.front().options);
  for (const auto& table : tables) {
    if (&table == &tables.front())
      continue;
    const auto is_one = Value::object(
      {{"properties", Value::object({{"protocol", Value::object({{"const", table.protocol}})}})},
       {"required", Value::array({"protocol"})}});
    schema = Value::object(
      {{"if", is_one}, {"then", object_of(table.options)}, {"else", std::move(schema)}});
  }
  return schema;
}

std::string definition_name(const StepTable& table) {
  return "step." + table.type + (table.operation.empty() ? "" : "." + table.operation);
}

Value step_definition(const StepTable& table) {
  auto specs = common_options(table.role);
  for (const auto& spec : table.options)
    specs.push_back(spec);
  for (auto& spec : specs)
    spec.required = false;  // a preset may say it
  auto schema = object_of(specs);
  schema.set("description", table.doc);
  return schema;
}

// `if` the step is of that type (and operation) `then` this holds.
Value when_type(const std::string& type, const std::string* operation, Value then) {
  auto properties = Value::object({{"type", Value::object({{"const", type}})}});
  auto required = Value::array({"type"});
  if (operation) {
    properties.set("operation", Value::object({{"const", *operation}}));
    required.push_back("operation");
  }
  return Value::object({{"if", Value::object({{"properties", properties}, {"required", required}})},
                        {"then", std::move(then)}});
}

// What must be there where no preset can say it. `steps` are followed downwards.
Value complete_step(const std::vector<StepTable>& tables) {
  auto rules = Value::array();
  for (const auto& table : tables) {
    auto schema = Value::object();
    add_required(schema, table.options);
    if (schema.size() == 0)
      continue;
    auto rule = when_type(table.type, table.operation.empty() ? nullptr : &table.operation,
                          std::move(schema));
    // Of a type without operations an `operation` is a preset, perhaps of another file.
    if (table.operation.empty())
      rule = Value::object({{"if", Value::object({{"required", Value::array({"operation"})}})},
                            {"else", std::move(rule)}});
    rules.push_back(std::move(rule));
  }
  const auto list = Value::object({{"items", reference_to("complete")}});
  const auto nested = Value::object({{"properties", Value::object({{"steps", list}})}});
  return Value::object(
    {{"properties", Value::object({{"steps", list},
                                   {"cases", Value::object({{"items", nested}})},
                                   {"branches", Value::object({{"additionalProperties", nested}})},
                                   {"onError", Value::object({{"allOf", Value::array({nested})},
                                                              {"items", nested}})}})},
     {"allOf", rules}});
}

// A file without presets must say everything itself.
Value complete_file() {
  const auto pipeline = Value::object(
    {{"steps", Value::object({{"items", reference_to("complete")}})},
     {"deadLetter", reference_to("complete")}});
  auto properties = pipeline;
  properties.set("pipelines", Value::object({{"additionalProperties",
                                              Value::object({{"properties", pipeline}})}}));
  return Value::object({{"if", Value::object({{"required", Value::array({"operations"})}})},
                        {"else", Value::object({{"properties", properties}})}});
}

// Any step: its type decides which definition holds. A step whose operation is a preset, or that
// names none where there are several, is held to the names of the options alone.
Value step_schema(const std::vector<StepTable>& tables) {
  auto rules = Value::array();
  auto names = Value::array();
  std::set<std::string> seen;
  for (const auto& table : tables) {
    if (!table.operation.empty())
      rules.push_back(
        when_type(table.type, &table.operation, reference_to(definition_name(table))));
    if (!seen.insert(table.type).second)
      continue;
    names.push_back(table.type);
    auto properties = Value::object();
    add_properties(properties, common_options(StepRole::step));
    for (const auto& other : tables) {
      if (other.type == table.type)
        add_properties(properties, other.options);
    }
    rules.push_back(
      when_type(table.type, nullptr,
                Value::object({{"propertyNames", Value::object({{"enum", [&] {
                                                                   auto keys = Value::array();
                                                                   for (const auto& member :
                                                                        properties.members())
                                                                     keys.push_back(member.name);
                                                                   return keys;
                                                                 }()}})}})));
    if (table.operation.empty() && table.type != "pipeline")
      rules.push_back(when_type(table.type, nullptr, reference_to(definition_name(table))));
  }
  return Value::object(
    {{"type", "object"},
     {"properties", Value::object({{"name", text_matching("^[A-Za-z0-9_-]+$")},
                                   {"type", Value::object({{"enum", names}})}})},
     {"anyOf", Value::array({Value::object({{"required", Value::array({"type"})}}),
                             Value::object({{"required", Value::array({"operation"})}})})},
     {"allOf", rules}});
}

}  // namespace

sdk::Value json_schema(std::span<const sdk::Connector* const> connectors) {
  const auto tables = step_tables(connectors);
  auto definitions = Value::object();
  definitions.set("reference", text_matching("\\$\\{(ENV|FILE):"));
  definitions.set("step", step_schema(tables));
  definitions.set("complete", complete_step(tables));
  definitions.set("pipeline", object_of(pipeline_options()));
  definitions.set("server", server_schema(server_tables(connectors)));
  definitions.set("scheme", object_of(scheme_options()));
  definitions.set("schemes", any_of({reference_to("scheme"), array_of(reference_to("scheme"))}));
  definitions.set("rule", object_of(rule_options()));
  for (const auto& table : tables)
    definitions.set(definition_name(table), step_definition(table));
  auto file = object_of(file_options());
  auto schema = Value::object({{"$schema", "http://json-schema.org/draft-07/schema#"},
                               {"title", "Millrace pipelines"},
                               {"description", "Generated by `millrace schema`"}});
  for (const auto& member : file.members())
    schema.set(member.name.as_string(), member.value);
  schema.set("patternProperties", Value::object({{"^x-", Value::object()}}));
  schema.set("allOf", Value::array({complete_file()}));
  schema.set("definitions", definitions);
  return schema;
}

}  // namespace millrace::dsl
