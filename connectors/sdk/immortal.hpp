// Immortal: a static object that is never destroyed. Threads that end with the process (a connector
// which closes behind its last owner, say) may use it to their last moment.
//
//   static const sdk::Immortal<Driver> driver;
//   driver->name();
#pragma once

#include <new>
#include <utility>

namespace millrace::sdk {

template <typename T>
class Immortal {
public:
  template <typename... Args>
  explicit Immortal(Args&&... args) {
    ::new (static_cast<void*>(memory_)) T(std::forward<Args>(args)...);
  }

  Immortal(const Immortal&) = delete;
  Immortal& operator=(const Immortal&) = delete;
  ~Immortal() = default;

  T& operator*() noexcept { return *std::launder(reinterpret_cast<T*>(memory_)); }

  const T& operator*() const noexcept { return *std::launder(reinterpret_cast<const T*>(memory_)); }

  T* operator->() noexcept { return &**this; }

  const T* operator->() const noexcept { return &**this; }

private:
  alignas(T) unsigned char memory_[sizeof(T)];
};

}  // namespace millrace::sdk
