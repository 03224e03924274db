#include "dsl/explain.hpp"

#include "connectors/sdk/secret.hpp"
#include "dsl/compile/walk.hpp"
#include "dsl/describe.hpp"
#include "dsl/span_steps.hpp"

#include <map>
#include <set>

namespace millrace::dsl {

namespace {

class Explainer {
public:
  explicit Explainer(const Program& program) : program_{program} {}

  std::string text() {
    for (const auto& pipeline : program_.pipelines)
      explain(pipeline);
    servers();
    return std::move(out_);
  }

private:
  void line(std::size_t indent, const std::string& text) {
    out_ += std::string(indent, ' ') + text + "\n";
  }

  void explain(const PipelineProgram& pipeline) {
    if (!out_.empty())
      out_ += "\n";
    line(0, "pipeline " + pipeline.name + "  (" + pipeline.place.to_string() + ")");
    if (!pipeline.description.empty())
      line(2, pipeline.description);
    line(2, "steps:");
    source(pipeline);
    list(pipeline, pipeline.steps, 4);
    spans(pipeline);
    batching(pipeline);
    guarantee(pipeline);
    errors(pipeline);
  }

  // --- steps

  void source(const PipelineProgram& pipeline) {
    const auto& one = pipeline.source;
    std::string text = one.name + ": " + one.type
                       + (one.operation.empty() ? "" : " " + one.operation);
    if (one.server)
      text += " on " + program_.servers[*one.server].name;
    text += " (source)";
    if (const auto detail = detail_of(one); !detail.empty())
      text += " (" + detail + ")";
    text += " -> $." + one.name;
    if (one.meta)
      text += ", $.meta." + one.name;
    line(4, text);
  }

  void list(const PipelineProgram& pipeline, const StepList& steps, std::size_t indent) {
    for (const auto& one : steps.steps)
      step(pipeline, *one, indent);
  }

  void step(const PipelineProgram& pipeline, const StepProgram& one, std::size_t indent) {
    std::string text = one.name + ": " + kind_of(one);
    if (const auto server = server_of(one, program_); !server.empty())
      text += " on " + server;
    if (const auto span = span_of(one); span > 0)
      text += " [transaction " + std::to_string(span) + "]";
    if (const auto detail = detail_of(one); !detail.empty())
      text += " (" + detail + ")";
    if (one.when)
      text += " when " + one.when->text();
    if (one.secret_concurrency)
      text += std::string{" x"} + sdk::Secret::masked();
    else if (one.concurrency > 1)
      text += " x" + std::to_string(one.concurrency);
    if (one.output != sdk::no_slot)
      text += " -> $." + pipeline.slots[one.output];
    line(indent, text);
    for (const auto& [label, nested] : labelled_lists(one)) {
      if (!label.empty())
        line(indent + 2, label + ":");
      list(pipeline, *nested, indent + (label.empty() ? 2 : 4));
    }
  }

  void spans(const PipelineProgram& pipeline) {
    if (pipeline.spans.empty())
      return;
    line(2, "transactions:");
    for (const auto& span : pipeline.spans) {
      std::string text = std::to_string(span.id) + " on " + program_.servers[span.server].name
                         + ": begins at '" + span.opened_by + "'";
      if (span.implicit)
        text += " (no beginSql says so)";
      text += span.closed_by == span.opened_by ? " and ends with it"
                                               : ", ends at '" + span.closed_by + "'";
      if (!grouped_steps(pipeline, span.id).empty())
        text += "; goes out as one group: one round trip, no session held";
      line(4, text);
    }
    line(4, pipeline.source.exactly_once
              ? "records of a partition that wait together share one; it is rolled back where one "
                "of them fails, and the others go again"
              : "each record has its own; it is rolled back when the record leaves in any other "
                "way");
  }

  // --- how statements that wait together are run

  void batching(const PipelineProgram& pipeline) {
    std::vector<std::string> lines;
    for_each_step(pipeline.steps, [&](const StepProgram& one) {
      if (const auto how = batching_of(one, program_); !how.empty())
        lines.push_back(one.name + ": " + how);
    });
    if (lines.empty())
      return;
    line(2, "statements that wait together run:");
    for (const auto& one : lines)
      line(4, one);
  }

  // --- guarantee

  void guarantee(const PipelineProgram& pipeline) {
    const auto& from = pipeline.source;
    std::vector<std::string> weaker;
    std::string text;
    if (!from.operation_info) {
      text = "that of the pipelines that call it";
    } else if (const auto& once = from.exactly_once; once && once->table.empty()) {
      text = "exactly once: what is sent and the offsets behind it are committed together on "
             + program_.servers[once->server].name
             + "; readers with isolation.level read_committed see each message once";
      if (pipeline.dead_letter)
        weaker.emplace_back("a dead letter may be written again after a crash");
    } else if (once) {
      text = "exactly once: the offset stands in " + once->table + " on "
             + program_.servers[once->server].name + " and moves in the transaction of each batch";
      if (pipeline.dead_letter)
        weaker.emplace_back("a dead letter may be written again after a crash");
    } else if (from.operation_info->rereads) {
      text = "at least once: what did not settle is read again, also after a crash of the process";
    } else if (from.operation_info->answers) {
      text = "each record is answered; one whose answer was lost may have been processed";
    } else {
      text = "at least once while the process lives";
      weaker.push_back("'" + from.name
                       + "' cannot read again what a crash of the process interrupted");
    }
    if (from.receive)
      weaker.insert(weaker.begin(),
                    "'" + from.name + "': " + std::string{from.operation_info->guarantee});
    for_each_step(pipeline.steps, [&](const StepProgram& one) {
      if (shows_twice(one) && !from.exactly_once)
        weaker.push_back("'" + one.name
                         + "' may happen twice for a record that is delivered again");
      if (std::holds_alternative<Dedupe>(one.body))
        weaker.push_back("'" + one.name + "' forgets its keys when the process ends");
    });
    losses("'" + from.name + "'", from.errors, from.errors.own_rules, weaker);
    for_each_step(pipeline.steps, [&](const StepProgram& one) {
      losses("'" + one.name + "'", one.errors, one.errors.own_rules, weaker);
    });
    losses("the pipeline", pipeline.errors, pipeline.errors.rules.size(), weaker);
    line(2, "guarantee: " + text);
    for (const auto& one : weaker)
      line(4, "- " + one);
  }

  static void losses(const std::string& who, const ErrorPolicy& errors, std::size_t rules,
                     std::vector<std::string>& weaker) {
    bool skips = false;
    bool resumes = false;
    for (std::size_t i = 0; i < rules; ++i) {
      skips |= errors.rules[i].then == ErrorAction::skip;
      resumes |= errors.rules[i].then == ErrorAction::resume;
    }
    if (skips)
      weaker.push_back(who + " drops records that fail (onError: skip)");
    if (resumes)
      weaker.push_back(who + " lets records go on that failed (onError: continue)");
  }

  // --- errors

  void errors(const PipelineProgram& pipeline) {
    line(2, "errors:");
    own_rules(pipeline.source.name, pipeline.source.errors);
    for_each_step(pipeline.steps, [&](const StepProgram& one) { own_rules(one.name, one.errors); });
    for (const auto& rule : pipeline.errors.rules)
      line(4, "every step: " + describe_rule(rule));
    if (!pipeline.spans.empty())
      line(4, "inside a transaction no step is tried again alone");
    for_each_step(pipeline.steps, [&](const StepProgram& one) {
      if (std::holds_alternative<TransactionBlock>(one.body) && !pipeline.errors.rules.empty())
        line(4, "steps inside " + one.name + ": only rules of their own; then those of " + one.name
                  + ", which is rolled back as a whole");
    });
    if (pipeline.dead_letter)
      line(4, "dead letter: " + pipeline.dead_letter->name + ", " + kind_of(*pipeline.dead_letter));
    const bool answers = pipeline.source.operation_info && pipeline.source.operation_info->answers;
    line(4, answers ? "by default: tried 3 times where that can help, then the error is the "
                      "answer, and the pipeline goes on"
                    : "by default: tried 3 times where that can help, then the pipeline stops");
  }

  void own_rules(const std::string& name, const ErrorPolicy& policy) {
    for (std::size_t i = 0; i < policy.own_rules; ++i)
      line(4, name + ": " + describe_rule(policy.rules[i]));
  }

  // --- servers

  void servers() {
    if (program_.servers.empty())
      return;
    std::map<std::string, std::set<std::string>> users;
    for (const auto& pipeline : program_.pipelines) {
      if (const auto& source = pipeline.source; source.server)
        users[program_.servers[*source.server].name].insert(pipeline.name + "/" + source.name);
      for_each_step(pipeline.steps, [&](const StepProgram& one) {
        if (const auto server = server_of(one, program_); !server.empty())
          users[server].insert(pipeline.name + "/" + one.name);
      });
    }
    out_ += "\n";
    line(0, "servers");
    for (const auto& server : program_.servers) {
      std::string text = server.name + ": " + server.protocol;
      if (!server.driver.empty())
        text += " (" + server.driver + ")";
      if (!server.init.empty())
        text += ", statements at the start: " + std::to_string(server.init.size());
      std::string list;
      for (const auto& user : users[server.name])
        list += (list.empty() ? ", used by " : ", ") + user;
      line(2, text + (list.empty() ? ", used by no step" : list));
    }
  }

  const Program& program_;
  std::string out_;
};

}  // namespace

std::string explain(const Program& program) {
  return Explainer{program}.text();
}

}  // namespace millrace::dsl
