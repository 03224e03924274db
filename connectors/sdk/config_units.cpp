// Durations, sizes and rates as users write them.
#include "connectors/sdk/ascii.hpp"
#include "connectors/sdk/config_reader.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace millrace::sdk {

namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 6> time_units{
  {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}, {"w", 604'800'000}}};

constexpr std::array<Unit, 8> size_units{{{"B", 1},
                                          {"KB", 1e3},
                                          {"MB", 1e6},
                                          {"GB", 1e9},
                                          {"KIB", 1024},
                                          {"MIB", 1048576},
                                          {"GIB", 1073741824},
                                          {"", 1}}};

// About 31,000 years; far from overflow when a few are added to a time point.
constexpr double longest_ms = 1e15;
constexpr double largest_size = 9e15;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Takes an unsigned number off the front: digits, with or without a fraction.
std::optional<double> take_number(std::string_view& text) {
  if (text.empty() || text.front() < '0' || text.front() > '9')
    return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number,
                                            std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(number))
    return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::string_view take_letters(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_letter(text[count]))
    ++count;
  const auto letters = text.substr(0, count);
  text.remove_prefix(count);
  return letters;
}

template <std::size_t N>
std::optional<double> factor_of(const std::array<Unit, N>& units, std::string_view name) {
  for (const auto& unit : units) {
    if (unit.name == name)
      return unit.factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text, milliseconds bare_unit) {
  double total = 0;
  bool any = false;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number)
      return std::nullopt;
    const auto name = take_letters(text);
    std::optional<double> factor;
    if (!name.empty())
      factor = factor_of(time_units, name);
    else if (!any && text.empty())
      factor = static_cast<double>(bare_unit.count());
    if (!factor)
      return std::nullopt;
    total += *number * *factor;
    any = true;
  }
  if (!any || total > longest_ms)
    return std::nullopt;
  return milliseconds{std::llround(total)};
}

std::optional<std::uint64_t> parse_byte_size(std::string_view text) {
  const auto number = take_number(text);
  if (!number)
    return std::nullopt;
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  const auto factor = factor_of(size_units, upper(take_letters(text)));
  if (!factor || !text.empty() || *number * *factor > largest_size)
    return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(*number * *factor));
}

std::optional<Rate> parse_rate(std::string_view text) {
  const auto number = take_number(text);
  if (!number)
    return std::nullopt;
  if (text.empty())
    return Rate{*number};
  if (text.front() != '/')
    return std::nullopt;
  text.remove_prefix(1);
  const auto factor = factor_of(time_units, text);
  if (!factor)
    return std::nullopt;
  return Rate{*number * 1000 / *factor};
}

std::string format_duration(milliseconds duration) {
  auto rest = duration.count();
  if (rest == 0)
    return "0s";
  if (rest < 0)
    return std::to_string(rest) + "ms";
  std::string text;
  for (const auto& [name, size] :
       {std::pair{"d", 86'400'000L}, std::pair{"h", 3'600'000L}, std::pair{"m", 60'000L},
        std::pair{"s", 1000L}, std::pair{"ms", 1L}}) {
    if (rest >= size) {
      text += std::to_string(rest / size) + name;
      rest %= size;
    }
  }
  return text;
}

std::string format_byte_size(std::uint64_t bytes) {
  for (const auto& [name, size] : {std::pair{"GiB", 1ULL << 30U}, std::pair{"MiB", 1ULL << 20U},
                                   std::pair{"KiB", 1ULL << 10U}}) {
    if (bytes >= size && bytes % size == 0)
      return std::to_string(bytes / size) + name;
  }
  return std::to_string(bytes);
}

}  // namespace millrace::sdk
