# Language level, warnings, sanitizers, compiler cache and linker: what every target shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(MILLRACE_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined")
option(MILLRACE_WERROR "Treat warnings as errors" ON)
option(MILLRACE_MIMALLOC "Link the executable with mimalloc when it is there" ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

add_library(millrace_options INTERFACE)
target_compile_options(millrace_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
  -Wold-style-cast -Woverloaded-virtual
  # Designated initialisers leave members to their defaults on purpose.
  -Wno-missing-field-initializers $<$<BOOL:${MILLRACE_WERROR}>:-Werror>
  # False reports of GCC 12 on inlined standard library code; clang-tidy looks for the real ones.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow
    -Wno-array-bounds -Wno-free-nonheap-object>)
if(MILLRACE_SANITIZE)
  # CAF's headers bind a null reference when an actor without arguments is spawned (docs/decisions).
  add_compile_options(-fsanitize=${MILLRACE_SANITIZE} -fno-sanitize=null -fno-omit-frame-pointer
                      -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${MILLRACE_SANITIZE})
  set(MILLRACE_MIMALLOC OFF)
endif()

if(MILLRACE_BUILD_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)  # the coverage that steers the fuzzers
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_link_options(-fuse-ld=mold)
endif()
