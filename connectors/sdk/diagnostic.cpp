#include "connectors/sdk/diagnostic.hpp"

#include "connectors/sdk/ascii.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace millrace::sdk {

namespace {

std::string_view severity_name(Severity severity) {
  switch (severity) {
  case Severity::error:
    return "error";
  case Severity::warning:
    return "warning";
  case Severity::note:
    return "note";
  }
  return "error";
}

/// Edit distance in which a swap of two neighbours counts one, as typing slips do.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> two_up;
  std::vector<std::size_t> up(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(up.begin(), up.end(), 0U);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({up[j] + 1, row[j - 1] + 1, up[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], two_up[j - 2] + 1);
    }
    two_up = std::exchange(up, row);
  }
  return up[b.size()];
}

}  // namespace

std::string Place::to_string() const {
  std::string text = file ? *file : std::string{"<text>"};
  if (line > 0)
    text += ':' + std::to_string(line) + ':' + std::to_string(column);
  return text;
}

std::string Diagnostic::to_string() const {
  std::string text = place.to_string();
  text.append(": ").append(severity_name(severity)).append(": ").append(message);
  if (!hint.empty())
    text.append("\n  hint: ").append(hint);
  return text;
}

void Diagnostics::error(Place place, std::string message, std::string hint) {
  ++errors_;
  all_.push_back({Severity::error, std::move(place), std::move(message), std::move(hint)});
}

void Diagnostics::warning(Place place, std::string message, std::string hint) {
  all_.push_back({Severity::warning, std::move(place), std::move(message), std::move(hint)});
}

void Diagnostics::note(Place place, std::string message) {
  all_.push_back({Severity::note, std::move(place), std::move(message), {}});
}

void Diagnostics::sort() {
  // Notes travel with the diagnostic before them.
  std::vector<std::vector<Diagnostic>> groups;
  for (auto& one : all_) {
    if (one.severity != Severity::note || groups.empty())
      groups.emplace_back();
    groups.back().push_back(std::move(one));
  }
  auto key = [](const std::vector<Diagnostic>& group) {
    const auto& place = group.front().place;
    return std::tuple{place.file ? std::string_view{*place.file} : std::string_view{}, place.line,
                      place.column};
  };
  std::ranges::stable_sort(groups, [&](const auto& a, const auto& b) { return key(a) < key(b); });
  const auto same = [&](const auto& a, const auto& b) {
    return key(a) == key(b) && a.front().severity == b.front().severity
           && a.front().message == b.front().message;
  };
  groups.erase(std::unique(groups.begin(), groups.end(), same), groups.end());
  all_.clear();
  for (auto& group : groups)
    std::ranges::move(group, std::back_inserter(all_));
}

std::string Diagnostics::to_string() const {
  std::string text;
  for (const auto& one : all_)
    text.append(one.to_string()).append("\n");
  return text;
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  const auto wanted = lower(word);
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (auto candidate : candidates) {
    const auto distance = edit_distance(wanted, lower(candidate));
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates) {
  const auto best = nearest(word, candidates);
  return best.empty() ? std::string{} : "did you mean '" + std::string{best} + "'?";
}

std::string joined(const std::vector<std::string_view>& words) {
  std::string text;
  for (const auto word : words)
    text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

}  // namespace millrace::sdk
