# Connectors that do not fit must not compile, and the compiler must say which operation is to blame.
#
#   cmake -D COMPILER=c++ -D SOURCE_DIR=… -D SCRATCH=… -P misfits.cmake
cmake_minimum_required(VERSION 3.25)

set(head "#include \"connectors/sdk/database_connector.hpp\"
using namespace millrace::sdk;
struct Fits {
  Status connect();
  Result<SqlResult> execute(std::string_view, const Arguments&, const StatementOptions&);
  Status begin(const TransactionOptions&);
  Status commit();
  Status rollback();
  Status close();
};
")
set(fits "SyncDatabaseOf<Fits> database;")
set(HasConnect "struct Misfit : Fits { void connect(); }; SyncDatabaseOf<Misfit> database;")
set(HasExecute "struct Misfit : Fits { Result<SqlResult> execute(std::string_view); }; SyncDatabaseOf<Misfit> database;")
set(HasBegin "struct Misfit : Fits { Status begin(int); }; SyncDatabaseOf<Misfit> database;")
set(HasCommit "struct Misfit : Fits { Status commit(bool); }; SyncDatabaseOf<Misfit> database;")
set(HasRollback "struct Misfit : Fits { bool rollback(); }; SyncDatabaseOf<Misfit> database;")
set(HasClose "struct Misfit : Fits { private: Status close(); }; SyncDatabaseOf<Misfit> database;")
set(HasAsyncConnect "AsyncDatabaseOf<Fits> database;")

file(MAKE_DIRECTORY ${SCRATCH})
foreach(case fits HasConnect HasExecute HasBegin HasCommit HasRollback HasClose HasAsyncConnect)
  file(WRITE ${SCRATCH}/${case}.cpp "${head}${${case}}\n")
  execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only -fconcepts-diagnostics-depth=3 -I${SOURCE_DIR}
                          ${SCRATCH}/${case}.cpp
                  RESULT_VARIABLE code ERROR_VARIABLE said)
  if(case STREQUAL "fits")
    if(NOT code EQUAL 0)
      message(FATAL_ERROR "what fits was refused:\n${said}")
    endif()
  elseif(code EQUAL 0)
    message(FATAL_ERROR "${case}: what does not fit was taken")
  elseif(NOT said MATCHES "${case}")
    message(FATAL_ERROR "${case}: the compiler does not name it:\n${said}")
  endif()
endforeach()
