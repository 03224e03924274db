// Code that runs on any database, tried on the mock; Millrace::sdk alone. Examples of
// docs/library.md.
#include <cstdlib>
#include <iostream>
#include <millrace/sdk.hpp>

using namespace millrace;

namespace {

Result<bool> is_customer(SyncDatabase& db, int id) {
  auto found = db.execute("SELECT 1 FROM customers WHERE id = ?", {id}, {});
  if (!found)
    return found.error();
  return found->rowcount == 1;
}

}  // namespace

int main() {
  MockDatabase mock;
  mock.answer("FROM customers", {Value::object({{"id", 7}})});
  mock.fail_next("FROM customers", Error{ErrorKind::timeout, "too slow"});

  auto db = mock.connector();
  if (!db->connect())
    return EXIT_FAILURE;
  const auto slow = is_customer(*db, 7);
  const auto found = is_customer(*db, 7);
  const bool good = !slow && is<DatabaseTimeoutError>(slow.error()) && found && *found
                    && mock.statements().back().arguments == Value::array({7});
  std::cout << (good ? "ok\n" : "FAILED\n");
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
