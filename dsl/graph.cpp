#include "dsl/graph.hpp"

#include "dsl/describe.hpp"

#include <utility>
#include <vector>

namespace millrace::dsl {

namespace {

enum class Shape : std::uint8_t { source, step, choice, sink };

struct Node {
  std::string id;
  std::string label;
  Shape shape = Shape::step;
};

struct Edge {
  std::string from;
  std::string to;
  std::string label;
  bool error = false;
};

struct Drawing {
  std::string name;  // of the pipeline
  std::vector<Node> nodes;
  std::vector<Edge> edges;
};

// Follows a pipeline's steps; ids are numbers behind the pipeline's own, so that any name can be
// drawn.
class Drawer {
public:
  Drawer(const PipelineProgram& pipeline, std::size_t number)
    : pipeline_{pipeline}, prefix_{"p" + std::to_string(number) + "_"} {}

  Drawing draw() {
    drawing_.name = pipeline_.name;
    const auto& source = pipeline_.source;
    const auto first = add(source.name,
                           source.type + (source.operation.empty() ? "" : " " + source.operation),
                           Shape::source);
    if (pipeline_.dead_letter)
      dead_letter_ = add(pipeline_.dead_letter->name, kind_of(*pipeline_.dead_letter), Shape::sink);
    errors(first, source.errors, source.errors.own_rules);
    if (!pipeline_.errors.rules.empty())
      draw_defaults();
    list(pipeline_.steps, {{first, ""}});
    return std::move(drawing_);
  }

private:
  // Where records come from, and what stands on the arrow.
  using Ends = std::vector<std::pair<std::string, std::string>>;

  std::string add(const std::string& name, const std::string& kind, Shape shape) {
    auto id = prefix_ + std::to_string(drawing_.nodes.size());
    drawing_.nodes.push_back({id, name + "\n" + kind, shape});
    return id;
  }

  void connect(const Ends& from, const std::string& to) {
    for (const auto& [id, label] : from)
      drawing_.edges.push_back({id, to, label, false});
  }

  Ends list(const StepList& steps, Ends ends) {
    for (const auto& one : steps.steps)
      ends = step(*one, std::move(ends));
    return ends;
  }

  Ends step(const StepProgram& one, Ends ends) {
    const auto lists = labelled_lists(one);
    auto kind = kind_of(one);
    if (const auto span = span_of(one); span > 0)
      kind += " [transaction " + std::to_string(span) + "]";
    const auto* connector = std::get_if<ConnectorCall>(&one.body);
    const bool is_sink = connector && !connector->operation->has_output;
    const auto id = add(one.name, kind,
                        is_sink         ? Shape::sink
                        : lists.empty() ? Shape::step
                                        : Shape::choice);
    connect(ends, id);
    errors(id, one.errors, one.errors.own_rules);
    if (lists.empty())
      return {{id, ""}};
    Ends after;
    bool all = !std::holds_alternative<Switch>(one.body);
    for (const auto& [label, steps] : lists) {
      all |= label == "otherwise";
      for (auto& end : list(*steps, {{id, label}}))
        after.push_back(std::move(end));
    }
    if (!all)
      after.emplace_back(id, "no case");
    return after;
  }

  // What holds for every step is drawn once.
  void draw_defaults() {
    const auto before = drawing_.edges.size();
    const auto id = add("any step", "that fails", Shape::step);
    errors(id, pipeline_.errors, pipeline_.errors.rules.size());
    if (drawing_.edges.size() == before)
      drawing_.nodes.pop_back();
  }

  void errors(const std::string& id, const ErrorPolicy& policy, std::size_t rules) {
    bool dead = false;
    for (std::size_t i = 0; i < rules; ++i) {
      const auto& rule = policy.rules[i];
      Ends ends{{id, "error"}};
      if (rule.steps && !rule.steps->steps.empty()) {
        ends = list(*rule.steps, ends);
        mark_errors(id);
      }
      if (rule.then == ErrorAction::dead_letter && !dead_letter_.empty() && !dead) {
        for (const auto& [from, label] : ends)
          drawing_.edges.push_back({from, dead_letter_, from == id ? "error" : "", true});
        dead = true;
      }
    }
  }

  void mark_errors(const std::string& id) {
    for (auto& edge : drawing_.edges)
      edge.error |= edge.from == id && edge.label == "error";
  }

  const PipelineProgram& pipeline_;
  std::string prefix_;
  std::string dead_letter_;
  Drawing drawing_;
};

std::vector<Drawing> drawings(const Program& program) {
  std::vector<Drawing> all;
  for (const auto& pipeline : program.pipelines)
    all.push_back(Drawer{pipeline, all.size()}.draw());
  return all;
}

// Mermaid takes HTML entities in quoted labels.
std::string mermaid_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
    case '"':
      out += "#quot;";
      break;
    case '#':
      out += "#35;";
      break;
    case '<':
      out += "#lt;";
      break;
    case '>':
      out += "#gt;";
      break;
    case '\n':
      out += "<br>";
      break;
    default:
      out += c;
    }
  }
  return out;
}

std::string dot_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += "\\n";
    else {
      if (c == '"' || c == '\\')
        out += '\\';
      out += c;
    }
  }
  return out;
}

std::string mermaid_node(const Node& node) {
  const auto label = "\"" + mermaid_text(node.label) + "\"";
  switch (node.shape) {
  case Shape::source:
    return node.id + "([" + label + "])";
  case Shape::choice:
    return node.id + "{{" + label + "}}";
  case Shape::sink:
    return node.id + "[/" + label + "/]";
  case Shape::step:
    return node.id + "[" + label + "]";
  }
  return node.id;
}

std::string_view dot_shape(Shape shape) {
  switch (shape) {
  case Shape::source:
    return "oval";
  case Shape::choice:
    return "hexagon";
  case Shape::sink:
    return "parallelogram";
  case Shape::step:
    return "box";
  }
  return "box";
}

}  // namespace

std::string to_mermaid(const Program& program) {
  std::string out = "flowchart TD\n";
  std::size_t number = 0;
  for (const auto& drawing : drawings(program)) {
    out += "  subgraph p" + std::to_string(number++) + "[\"" + mermaid_text(drawing.name) + "\"]\n";
    for (const auto& node : drawing.nodes)
      out += "    " + mermaid_node(node) + "\n";
    for (const auto& edge : drawing.edges) {
      out += "    " + edge.from + (edge.error ? " -.->" : " -->");
      if (!edge.label.empty())
        out += "|\"" + mermaid_text(edge.label) + "\"|";
      out += " " + edge.to + "\n";
    }
    out += "  end\n";
  }
  return out;
}

std::string to_dot(const Program& program) {
  std::string out = "digraph millrace {\n  node [fontname=\"sans-serif\"];\n";
  std::size_t number = 0;
  for (const auto& drawing : drawings(program)) {
    out += "  subgraph cluster_" + std::to_string(number++) + " {\n    label=\""
           + dot_text(drawing.name) + "\";\n";
    for (const auto& node : drawing.nodes)
      out.append("    ")
        .append(node.id)
        .append(" [label=\"")
        .append(dot_text(node.label))
        .append("\", shape=")
        .append(dot_shape(node.shape))
        .append("];\n");
    for (const auto& edge : drawing.edges) {
      out += "    " + edge.from + " -> " + edge.to;
      std::string attributes;
      if (!edge.label.empty())
        attributes = "label=\"" + dot_text(edge.label) + "\"";
      if (edge.error)
        attributes += attributes.empty() ? "style=dashed" : ", style=dashed";
      out += (attributes.empty() ? "" : " [" + attributes + "]") + ";\n";
    }
    out += "  }\n";
  }
  return out + "}\n";
}

}  // namespace millrace::dsl
