#include "runtime/settings.hpp"

#include "dsl/references.hpp"
#include "dsl/yaml_reader.hpp"
#include "runtime/environment.hpp"
#include "runtime/flags.hpp"
#include "runtime/read_file.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace millrace::runtime {

namespace {

using namespace std::chrono_literals;

void read_size(sdk::ConfigReader& in, std::string_view name, std::size_t& out,
               std::string_view doc) {
  sdk::ByteSize size{out};
  in.optional(name, size, doc);
  in.check(size.bytes > 0, name, "more than 0 bytes");
  out = static_cast<std::size_t>(size.bytes);
}

void from_folder_of(const std::string& file, std::vector<std::string>& paths) {
  for (auto& path : paths)
    path = dsl::relative_to(file, path);
}

}  // namespace

void read_settings(sdk::ConfigReader& in, RunOptions& out) {
  in.optional("pipelines", out.files.files, "Pipeline files, or folders of them");
  in.optional("set", out.files.sets, "Overrides of values in them: PATH=VALUE");
  in.optional("env_file", out.files.env_files,
              "Files of NAME=value lines that `${ENV:NAME}` sees behind the environment");
  in.optional("profile", out.files.profile, "Settings profile, laid over `default`");
  in.optional("once", out.engine.once, "End when the present input is used up");
  in.optional("watch", out.watch, "Take up changes of the files while running");
  in.optional("drain_timeout", out.drain_timeout,
              "How long open work may take to finish after SIGTERM");
  in.check(out.drain_timeout >= 0ms, "drain_timeout", "no less than 0s");
  in.optional("admin_address", out.admin.address,
              "Where the admin API listens (HOST:PORT), or `off`");
  in.optional("admin_token", out.admin.token,
              "What who uses the admin API must say; mandatory beyond loopback");
  in.choice("log_level", out.log.level, log_levels, "Least level that is logged");
  in.choice("log_format", out.log.format, log_formats, "How log lines look");
  in.optional("threads", out.engine.threads, "Scheduler threads; 0: one per core, at least 2");
  in.choice("scheduler", out.engine.stealing, schedulers, "How threads share actors");
  in.optional("max_throughput", out.engine.max_throughput,
              "Messages an actor may handle before another one's turn");
  in.check(out.engine.max_throughput > 0, "max_throughput", "1 or more");
  in.optional("credit_records", out.engine.credit_records, "Most records a source has open");
  in.check(out.engine.credit_records > 0, "credit_records", "1 or more");
  read_size(in, "credit_bytes", out.engine.credit_bytes, "Most bytes a source has open");
}

std::string load_settings(const std::string& path, RunOptions& out) {
  auto text = read_file(path, dsl::max_file_bytes);
  if (!text)
    return text.error().message();
  sdk::Diagnostics diagnostics;
  auto root = dsl::read_yaml(*text, std::make_shared<const std::string>(path), diagnostics);
  if (root) {
    const ProcessEnvironment environment;
    dsl::resolve_references(*root, environment, diagnostics);
    if (root->is_null())
      root->kind = sdk::ConfigNode::Kind::mapping;
    sdk::ConfigReader reader{*root, "the settings file", diagnostics};
    read_settings(reader, out);
    reader.finish();
    from_folder_of(path, out.files.files);
    from_folder_of(path, out.files.env_files);
  }
  diagnostics.sort();
  return diagnostics.has_errors() ? diagnostics.to_string() : std::string{};
}

}  // namespace millrace::runtime
