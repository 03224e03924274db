#include "actors/pipeline/source_memory.hpp"

#include <exception>

namespace millrace::actors {

void SourceMemory::close() noexcept {
  hub->stop();
  hub->on_news(nullptr);
  if (!source)
    return;
  try {
    source->stop();
  } catch (const std::exception&) {
    ended = true;  // it is over anyway
  }
  source.reset();
}

void SourceMemory::log_unsettled(sdk::Log& log, const std::string& pipeline, bool rereads) const {
  if (!core)
    return;
  for (const auto& some : core->unsettled())
    log.error(rereads ? "records have not settled, the next start reads them again"
                      : "records are lost: they were read, and have not settled",
              {{"pipeline", sdk::Value{pipeline}},
               {"lane", sdk::Value{some.lane}},
               {"records", sdk::Value{static_cast<std::int64_t>(some.records)}},
               {"first_position", sdk::Value{static_cast<std::int64_t>(some.first)}},
               {"last_position", sdk::Value{static_cast<std::int64_t>(some.last)}}});
}

}  // namespace millrace::actors
