#include "dsl/expression/binding.hpp"

#include "connectors/sdk/diagnostic.hpp"

#include <algorithm>

namespace millrace::dsl {

namespace {

using jsonpath::Logical;
using jsonpath::Operand;
using jsonpath::Query;
using jsonpath::Segment;
using jsonpath::Selector;
using sdk::Slot;
using sdk::Value;

class Binder {
public:
  Binder(const CompileContext& context, std::set<Slot>& reads, TextCursor& cursor) noexcept
    : context_{context}, reads_{reads}, cursor_{cursor} {}

  bool query(Query& query) {
    if (query.absolute && !(context_.result_root ? columns(query) : names(query)))
      return false;
    for (Segment& segment : query.segments) {
      for (Selector& selector : segment.selectors) {
        if (!selector.filter)
          continue;
        auto bound = std::make_shared<Logical>(*selector.filter);
        if (!logical(*bound))
          return false;
        selector.filter = std::move(bound);
      }
    }
    return true;
  }

  bool logical(Logical& logical) {
    for (Logical& part : logical.parts) {
      if (!this->logical(part))
        return false;
    }
    return operand(logical.left) && operand(logical.right);
  }

private:
  bool operand(Operand& operand) {
    if (operand.kind == Operand::Kind::query)
      return query(operand.query);
    for (Operand& argument : operand.call.arguments) {
      if (!this->operand(argument))
        return false;
    }
    return true;
  }

  /// The columns of a row may be named in another case: PostgreSQL folds unquoted names.
  static bool columns(Query& query) {
    if (query.segments.size() < 3)
      return true;
    const Segment& rows = query.segments[0];
    if (rows.descendant || rows.selectors.size() != 1 || rows.selectors[0].name != "rows")
      return true;
    for (Selector& selector : query.segments[2].selectors)
      selector.fold_case = selector.kind == Selector::Kind::name;
    return true;
  }

  bool names(Query& query) {
    if (query.segments.empty() || query.segments[0].descendant)
      return whole();
    const Segment& first = query.segments[0];
    const bool single = first.selectors.size() == 1;
    for (const Selector& selector : first.selectors) {
      if (selector.kind != Selector::Kind::name) {
        whole();
        continue;
      }
      if (selector.name == "meta" && !find(context_.names, "meta")) {
        if (!meta(query, single))
          return false;
        continue;
      }
      const SlotName* name = find(context_.names, selector.name);
      if (!name)
        return unknown_step(query, selector.name);
      reads_.insert(name->slot);
      if (single) {
        query.slot = name->slot;
        query.bound = 1;
      }
    }
    return true;
  }

  bool meta(Query& query, bool single) {
    const bool named = query.segments.size() > 1 && !query.segments[1].descendant;
    for (const SlotName& source : context_.meta) {
      if (!named)
        reads_.insert(source.slot);
    }
    if (!named)
      return true;
    for (const Selector& selector : query.segments[1].selectors) {
      if (selector.kind != Selector::Kind::name) {
        for (const SlotName& source : context_.meta)
          reads_.insert(source.slot);
        continue;
      }
      const SlotName* source = find(context_.meta, selector.name);
      if (!source)
        return unknown_source(query, selector.name);
      reads_.insert(source->slot);
      if (single && query.segments[1].selectors.size() == 1) {
        query.slot = source->slot;
        query.bound = 2;
      }
    }
    return true;
  }

  bool whole() {
    for (const auto* list : {&context_.names, &context_.meta}) {
      for (const SlotName& name : *list)
        reads_.insert(name.slot);
    }
    return true;
  }

  static const SlotName* find(const std::vector<SlotName>& list, std::string_view name) {
    const auto found = std::find_if(list.rbegin(), list.rend(),
                                    [&](const SlotName& entry) { return entry.name == name; });
    return found == list.rend() ? nullptr : &*found;
  }

  bool unknown_step(const Query& query, const std::string& name) {
    const auto& later = context_.out_of_reach;
    if (std::find(later.begin(), later.end(), name) != later.end())
      return fail(query, "step '" + name + "' does not come before this one",
                  "a path sees the steps above it");
    std::vector<std::string_view> known;
    for (const SlotName& entry : context_.names)
      known.emplace_back(entry.name);
    if (!context_.meta.empty())
      known.emplace_back("meta");
    return fail(query, "no step '" + name + "' comes before this one", hint(name, known));
  }

  bool unknown_source(const Query& query, const std::string& name) {
    std::vector<std::string_view> known;
    for (const SlotName& entry : context_.meta)
      known.emplace_back(entry.name);
    return fail(query, "'$.meta' has no source '" + name + "'", hint(name, known));
  }

  static std::string hint(std::string_view name, const std::vector<std::string_view>& known) {
    if (auto nearest = sdk::did_you_mean(name, known); !nearest.empty())
      return nearest;
    if (known.empty())
      return {};
    std::string list = "there is ";
    for (std::size_t i = 0; i < known.size(); ++i)
      list.append(i == 0 ? "" : ", ").append("'").append(known[i]).append("'");
    return list;
  }

  bool fail(const Query& query, std::string message, std::string hint) {
    return cursor_.fail_name(query.column - 1, std::move(message), std::move(hint));
  }

  const CompileContext& context_;
  std::set<Slot>& reads_;
  TextCursor& cursor_;
};

}  // namespace

bool bind(Query& query, const CompileContext& context, std::set<Slot>& reads, TextCursor& cursor) {
  return Binder{context, reads, cursor}.query(query);
}

bool bind(Logical& logical, const CompileContext& context, std::set<Slot>& reads,
          TextCursor& cursor) {
  return Binder{context, reads, cursor}.logical(logical);
}

const Value& ScopeRoot::whole() {
  if (names_.result_root)
    return *scope_.result;
  if (built_)
    return context_;
  built_ = true;
  context_ = Value::object();
  for (const SlotName& name : names_.names)
    context_.set(name.name, scope_.record->get(name.slot));
  if (!names_.meta.empty() && !context_.find("meta")) {
    auto meta = Value::object();
    for (const SlotName& source : names_.meta)
      meta.set(source.name, scope_.record->get(source.slot));
    context_.set("meta", std::move(meta));
  }
  return context_;
}

}  // namespace millrace::dsl
