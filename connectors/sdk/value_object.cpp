// The object side of Value: members found by comparing up to `unindexed_members` names, beyond that
// by a hash index.
#include "connectors/sdk/value.hpp"
#include "connectors/sdk/value_node.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <random>

namespace millrace::sdk {

struct MemberIndex {
  struct Slot {
    std::uint32_t hash;
    std::uint32_t position;  // plus one; 0 is an empty slot
  };

  std::uint32_t mask;
  std::uint32_t unused;

  Slot* slots() noexcept { return reinterpret_cast<Slot*>(this + 1); }
};

namespace {

constexpr std::uint32_t nowhere = 0xFFFFFFFF;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const auto product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

const std::array<std::uint64_t, 3>& hash_seeds() {
  static const auto seeds = [] {
    std::random_device device;
    std::array<std::uint64_t, 3> result{};
    for (auto& seed : result)
      seed = (static_cast<std::uint64_t>(device()) << 32 | device()) | 1;
    return result;
  }();
  return seeds;
}

std::uint64_t hash_bytes(std::string_view bytes) noexcept {
  const auto& seeds = hash_seeds();
  auto hash = seeds[0] ^ bytes.size();
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    hash = mix(hash ^ word, seeds[1]);
    bytes.remove_prefix(8);
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, bytes.data(), bytes.size());
  return mix(hash ^ rest, seeds[2]);
}

std::uint64_t hash_words(const std::array<std::uint64_t, 2>& words) noexcept {
  const auto& seeds = hash_seeds();
  return mix(words[0] ^ seeds[0], words[1] ^ seeds[1]);
}

/// Calls `match(position)` for members of that hash until it says yes. @returns the slot of that
/// member, or the empty one where the search ended.
template <class Match>
MemberIndex::Slot& probe(MemberIndex* index, std::uint64_t hash, Match match) noexcept {
  const auto wanted = static_cast<std::uint32_t>(hash >> 32);
  for (auto at = static_cast<std::uint32_t>(hash);; ++at) {
    auto& slot = index->slots()[at & index->mask];
    if (slot.position == 0 || (slot.hash == wanted && match(slot.position - 1)))
      return slot;
  }
}

MemberIndex* new_index(std::uint32_t members) {
  const auto slots = std::bit_ceil(std::max<std::size_t>(members, 8) * 2);
  const auto bytes = sizeof(MemberIndex) + slots * sizeof(MemberIndex::Slot);
  void* memory = ::operator new(bytes);
  std::memset(memory, 0, bytes);
  auto* index = static_cast<MemberIndex*>(memory);
  index->mask = static_cast<std::uint32_t>(slots - 1);
  return index;
}

/// A name to look for: as two words where it is short.
struct Wanted {
  explicit Wanted(std::string_view name) noexcept
    : text{name}, is_short{name.size() <= ValueAccess::short_capacity} {
    if (is_short)
      words = short_text_words(ValueKind::string, name);
  }

  explicit Wanted(const Value& name) noexcept
    : words{ValueAccess::words(name)}, is_short{!ValueAccess::on_heap(name)} {
    if (!is_short)
      text = ValueAccess::text(name);
  }

  bool is(const Value& name) const noexcept {
    return is_short ? same_words(ValueAccess::words(name), words)
                    : ValueAccess::on_heap(name) && ValueAccess::text(name) == text;
  }

  std::uint64_t hash() const noexcept { return is_short ? hash_words(words) : hash_bytes(text); }

  std::array<std::uint64_t, 2> words{};
  std::string_view text;  // set where it is long
  bool is_short;
};

std::uint32_t find_position(ContainerNode* node, const Wanted& wanted) noexcept {
  const auto* members = node->members();
  if (node->index) {
    const auto& slot = probe(node->index, wanted.hash(),
                             [&](std::uint32_t at) { return wanted.is(members[at].name); });
    return slot.position - 1;  // an empty slot gives `nowhere`
  }
  for (std::uint32_t i = 0; i < node->size; ++i) {
    if (wanted.is(members[i].name))
      return i;
  }
  return nowhere;
}

/// A number below 64, likely to differ for different names.
unsigned name_bit(const Value& name) noexcept {
  const auto& words = ValueAccess::words(name);
  auto bits = words[0] ^ words[1];
  if (ValueAccess::on_heap(name)) {
    const auto text = ValueAccess::text(name);
    std::memcpy(&bits, text.data() + text.size() - 8, 8);
    bits ^= text.size();
  }
  return static_cast<unsigned>(bits * 0x9E3779B97F4A7C15 >> 58);
}

void drop_index(ContainerNode* node) noexcept {
  ::operator delete(std::exchange(node->index, nullptr));
}

}  // namespace

std::uint64_t hash_name(const Value& name) noexcept {
  return Wanted{name}.hash();
}

void index_members(ContainerNode* node) {
  auto* index = new_index(std::max(node->size, node->capacity));
  auto* members = node->members();
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < node->size; ++i) {
    const auto hash = hash_name(members[i].name);
    auto& slot = probe(
      index, hash, [&](std::uint32_t at) { return same_name(members[at].name, members[i].name); });
    if (slot.position != 0) {
      members[slot.position - 1].value = std::move(members[i].value);
      continue;
    }
    slot = {static_cast<std::uint32_t>(hash >> 32), kept + 1};
    if (kept != i)
      members[kept] = std::move(members[i]);
    ++kept;
  }
  std::destroy(members + kept, members + node->size);
  node->size = kept;
  drop_index(node);
  node->index = index;
}

void unite_members(ContainerNode* node) {
  if (node->size > unindexed_members) {
    index_members(node);
    if (node->size <= unindexed_members)
      drop_index(node);
    return;
  }
  auto* members = node->members();
  std::uint32_t kept = 0;
  std::uint64_t seen = 0;  // one bit of 64 for each name, so that few need a comparison
  for (std::uint32_t i = 0; i < node->size; ++i) {
    const auto bit = std::uint64_t{1} << name_bit(members[i].name);
    if ((seen & bit) == 0 && kept == i) {
      seen |= bit;
      ++kept;
      continue;
    }
    auto* const same = std::find_if(members, members + kept, [&](const Member& other) {
      return same_name(other.name, members[i].name);
    });
    if (same != members + kept) {
      same->value = std::move(members[i].value);
      continue;
    }
    if (kept != i)
      members[kept] = std::move(members[i]);
    ++kept;
  }
  std::destroy(members + kept, members + node->size);
  node->size = kept;
}

const Value* find_member(ContainerNode* node, const Value& name) noexcept {
  const auto position = find_position(node, Wanted{name});
  return position == nowhere ? nullptr : &node->members()[position].value;
}

const Value* Value::find(std::string_view name) const noexcept {
  auto* node = is_object() ? ValueAccess::container(*this) : nullptr;
  if (!node)
    return nullptr;
  const auto position = find_position(node, Wanted{name});
  return position == nowhere ? nullptr : &node->members()[position].value;
}

const Value* Value::find_named(const Value& name) const noexcept {
  assert(name.is_string());
  auto* node = is_object() ? ValueAccess::container(*this) : nullptr;
  return node ? find_member(node, name) : nullptr;
}

void Value::set(std::string_view name, Value value) {
  assert(is_object());
  if (auto* node = ValueAccess::container(*this)) {
    if (const auto position = find_position(node, Wanted{name}); position != nowhere) {
      ValueAccess::own(*this, node->size)->members()[position].value = std::move(value);
      return;
    }
  }
  Member added{Value{name}, std::move(value)};
  auto* old = ValueAccess::container(*this);
  const auto count = size();
  auto* node = ValueAccess::own(
    *this, old && count < old->capacity ? count + 1 : std::max<std::size_t>(4, 2 * count));
  new (node->members() + node->size) Member{std::move(added)};
  ++node->size;
  if (node->size <= unindexed_members)
    return;
  if (!node->index || node->index->mask < node->size + node->size / 2) {
    index_members(node);
    return;
  }
  const auto hash = hash_name(node->members()[node->size - 1].name);
  probe(node->index, hash,
        [](std::uint32_t) { return false; }) = {static_cast<std::uint32_t>(hash >> 32), node->size};
}

bool Value::erase(std::string_view name) {
  assert(is_object());
  auto* node = ValueAccess::container(*this);
  const auto position = node ? find_position(node, Wanted{name}) : nowhere;
  if (position == nowhere)
    return false;
  node = ValueAccess::own(*this, node->size);
  auto* members = node->members();
  std::move(members + position + 1, members + node->size, members + position);
  --node->size;
  std::destroy_at(members + node->size);
  if (node->size > unindexed_members)
    index_members(node);
  else
    drop_index(node);
  return true;
}

Value& Value::mutable_member(std::string_view name) {
  assert(is_object());
  auto* node = ValueAccess::container(*this);
  assert(node);
  const auto position = find_position(node, Wanted{name});
  assert(position != nowhere && "no such member");
  return ValueAccess::own(*this, node->size)->members()[position].value;
}

}  // namespace millrace::sdk
