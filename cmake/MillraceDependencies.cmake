# Third-party libraries, all from Debian 12 (docs/decisions/0001-debian-packages.md).
find_package(Threads REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(simdjson REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(PostgreSQL)
if(NOT MILLRACE_BUILD_ENGINE)
  return()
endif()

find_package(PkgConfig REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB)
find_package(SQLite3)
find_package(date)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(RDKAFKA IMPORTED_TARGET rdkafka>=2.0)

# Debian's CAF 0.17 brings neither a CMake package nor a pkg-config file.
find_path(CAF_INCLUDE_DIR caf/all.hpp REQUIRED)
find_library(CAF_CORE_LIBRARY caf_core REQUIRED)
add_library(caf_core UNKNOWN IMPORTED)
set_target_properties(caf_core PROPERTIES IMPORTED_LOCATION ${CAF_CORE_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES ${CAF_INCLUDE_DIR} INTERFACE_LINK_LIBRARIES Threads::Threads)

# Only the executables link it: it takes the place of malloc and of operator new.
if(MILLRACE_MIMALLOC)
  find_package(mimalloc)
endif()
if(MILLRACE_BUILD_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
if(MILLRACE_BUILD_BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()
