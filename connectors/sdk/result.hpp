// Result<T>: a value, or the reason why there is none. Trouble in normal life is a Result; nothing
// throws past its file.
//
//   Result<int> parse_port(std::string_view text);
//   if (auto port = parse_port(text)) use(*port); else report(port.error());
#pragma once

#include "connectors/sdk/error.hpp"

#include <cassert>
#include <type_traits>
#include <utility>
#include <variant>

namespace millrace::sdk {

template <class T, class E = Error>
class [[nodiscard]] Result {
public:
  using value_type = T;

  // Implicit on purpose: `return value;` and `return error;` both read well.
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(T value) : state_{std::in_place_index<0>, std::move(value)} {}

  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(E error) : state_{std::in_place_index<1>, std::move(error)} {}

  bool has_value() const noexcept { return state_.index() == 0; }

  explicit operator bool() const noexcept { return has_value(); }

  T& operator*() & noexcept { return *std::get_if<0>(&state_); }

  const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }

  T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }

  T* operator->() noexcept { return std::get_if<0>(&state_); }

  const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  E& error() & noexcept { return *std::get_if<1>(&state_); }

  const E& error() const& noexcept { return *std::get_if<1>(&state_); }

  E&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

private:
  std::variant<T, E> state_;
};

/// A step that gives nothing back but may fail.
template <class E>
class [[nodiscard]] Result<void, E> {
public:
  using value_type = void;

  Result() = default;

  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(E error) : state_{std::in_place_index<1>, std::move(error)} {}

  bool has_value() const noexcept { return state_.index() == 0; }

  explicit operator bool() const noexcept { return has_value(); }

  E& error() & noexcept { return *std::get_if<1>(&state_); }

  const E& error() const& noexcept { return *std::get_if<1>(&state_); }

  E&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

private:
  std::variant<std::monostate, E> state_;
};

using Status = Result<void>;

}  // namespace millrace::sdk
