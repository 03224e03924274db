// The option tables as Markdown.
#include "dsl/option_tables.hpp"
#include "dsl/schema.hpp"

#include <algorithm>
#include <set>

namespace millrace::dsl {

namespace {

using sdk::OptionSpec;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|')
      out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

void append_rows(std::string& out, const std::vector<OptionSpec>& specs,
                 const std::string& prefix) {
  for (const auto& spec : specs) {
    out += "| `" + prefix + spec.name + "`";
    for (const auto& alias : spec.aliases)
      out.append(", `").append(prefix).append(alias).append("`");
    out += " | " + escaped(spec.type) + " | ";
    if (spec.required)
      out += "required";
    else if (!spec.default_text.empty())
      out += "`" + escaped(spec.default_text) + "`";
    out += " | " + escaped(spec.doc) + " |\n";
    append_rows(out, spec.nested, prefix + spec.name + ".");
  }
}

void append_table(std::string& out, const std::vector<OptionSpec>& specs) {
  if (specs.empty()) {
    out += "No options of its own.\n\n";
    return;
  }
  out += "| Option | Type | Default | What it does |\n|---|---|---|---|\n";
  append_rows(out, specs, "");
  out += "\n";
}

void append_section(std::string& out, std::string_view title, std::string_view text,
                    const std::vector<OptionSpec>& specs) {
  out.append("## ").append(title).append("\n\n");
  if (!text.empty())
    out.append(text).append("\n\n");
  append_table(out, specs);
}

void append_type(std::string& out, const std::vector<StepTable>& tables, const std::string& type) {
  out += "## `type: " + type + "`\n\n";
  for (const auto& table : tables) {
    if (table.type != type)
      continue;
    if (!table.operation.empty())
      out += "### `operation: " + table.operation + "`\n\n";
    out += table.doc + (table.role == StepRole::source ? " (source)." : ".");
    if (!table.guarantee.empty())
      out += " Guarantee: " + table.guarantee + ".";
    out += "\n\n";
    append_table(out, table.options);
  }
}

}  // namespace

std::string option_reference(std::span<const sdk::Connector* const> connectors,
                             std::string_view type) {
  const auto tables = step_tables(connectors);
  std::string out;
  if (type.empty()) {
    append_section(out, "A file", "Keys that begin with `x-` are ignored.", file_options());
    append_section(out, "A pipeline", "", pipeline_options());
    append_section(out, "Every step",
                   "A source, which is the first step, takes only `name`, `type`, `operation`, "
                   "`description` and `onError`.",
                   common_options(StepRole::step));
    append_section(out, "`onError`",
                   "One rule, or a list of rules; the first that matches decides.", rule_options());
    for (const auto& table : server_tables(connectors))
      append_section(out,
                     table.protocol == "database"
                       ? std::string{"A database server"}
                       : "A server of `protocol: " + table.protocol + "`",
                     "", table.options);
    append_section(out, "A security scheme", "", scheme_options());
  }
  std::set<std::string> seen;
  for (const auto& table : tables) {
    if ((type.empty() || table.type == type) && seen.insert(table.type).second)
      append_type(out, tables, table.type);
  }
  while (out.ends_with("\n\n"))
    out.pop_back();
  return out;
}

}  // namespace millrace::dsl
