// Parts: follows records through nested steps. A stage that sends records (or parts of them) into a
// branch keeps their own Acks, and gives the branch Acks of a receipt of its own. It then hears of
// each part exactly once: in `on_return`, where it `take`s the Ack, or here, when the part left for
// good on the way.
//
//   Parts parts{context, [this](PartsNews news) { … }};           // in Stage::start
//   sdk::Ack ack = parts.open(batch, join, count);                // `join` is a number of yours
//   branch.add(std::move(copies), std::move(ack)); context.send(0, std::move(branch));
//   // on_return: for each record  Part part = Parts::take(returned, i);  -> part.join, part.index
#pragma once

#include "actors/pipeline/stage.hpp"
#include "connectors/sdk/ack.hpp"
#include "connectors/sdk/batch.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace millrace::actors {

/// Parts of `join` that left in the nested steps. Each Settled is filtered, skipped, dead_lettered,
/// delivered (a pipeline's `respond` ended it) or failed, with the reason.
struct PartsNews {
  std::uint64_t join = 0;
  std::vector<sdk::Settled> settled;
  bool lost = false;  // a step died over one: drop the whole join; its lane is stale by now
};

struct Part {
  std::uint64_t join = 0;
  std::uint32_t index = 0;  // in the order of Parts::open
};

class Parts {
public:
  /// `heard` runs in the turn of the stage's actor, and not after the stage is gone.
  Parts(StageContext& context, std::function<void(PartsNews)> heard);
  ~Parts();
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  /// The Ack of `count` parts that travel on the lane, and with the attempt, of `whole`.
  sdk::Ack open(const sdk::Batch& whole, std::uint64_t join, std::uint32_t count);

  /// Which part record `index` of a returned batch is; it owes nothing afterwards.
  static Part take(sdk::Batch& returned, std::size_t index);

private:
  struct Listener;
  std::shared_ptr<Listener> listener_;
};

}  // namespace millrace::actors
