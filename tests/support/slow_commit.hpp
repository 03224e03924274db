// A table whose COMMITs take as many seconds as was inserted, and a fault that cuts the connection
// behind the row that tells a transaction its number: for tests of a COMMIT whose answer is lost.
#pragma once

#include "tests/support/fault_proxy.hpp"

#include <string>

namespace millrace::test {

inline constexpr const char* slow_commit_schema[] = {
  "DROP TABLE IF EXISTS slow", "CREATE TABLE slow (seconds FLOAT)",
  "CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
  "$$ BEGIN PERFORM pg_sleep(NEW.seconds); RETURN NULL; END $$",
  "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED "
  "FOR EACH ROW EXECUTE FUNCTION slow()"};

/// The server is still at work on the COMMIT then.
inline Fault cut_behind_number() {
  return {.kind = Fault::Kind::cut,
          .direction = Direction::to_client,
          .at = std::string{"SELECT 1\0", 9}};
}

}  // namespace millrace::test
