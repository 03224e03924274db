# Installs the libraries into a fresh prefix, builds the project beside this file on them, and runs it.
#
#   cmake -D BUILD_DIR=build/dev -D SCRATCH=… -D GENERATOR=Ninja -D COMPILER=c++ -P run.cmake
cmake_minimum_required(VERSION 3.25)

function(run what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${what} failed (${code}):\n${out}")
  endif()
  set(output "${out}" PARENT_SCOPE)
endfunction()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(launcher -D CMAKE_CXX_COMPILER_LAUNCHER=${CCACHE_PROGRAM})
endif()
file(REMOVE_RECURSE ${SCRATCH})
run("install" ${CMAKE_COMMAND} --install ${BUILD_DIR} --component library --prefix ${SCRATCH}/prefix)
run("configure" ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${SCRATCH}/build -G ${GENERATOR}
    -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_PREFIX_PATH=${SCRATCH}/prefix -D CMAKE_BUILD_TYPE=Debug
    -D CMAKE_CXX_FLAGS_DEBUG=-O0 ${launcher})
run("build" ${CMAKE_COMMAND} --build ${SCRATCH}/build)
run("shop_mock" ${SCRATCH}/build/shop_mock)
run("shop_yaml" ${SCRATCH}/build/shop_yaml ${CMAKE_CURRENT_LIST_DIR}/servers.yaml)

# Neither the engine's actors nor YAML came along.
run("ldd" ldd ${SCRATCH}/build/shop)
if(output MATCHES "caf|yaml|re2|spdlog")
  message(FATAL_ERROR "the library depends on the engine's libraries:\n${output}")
endif()

set(url "$ENV{MILLRACE_TEST_POSTGRES}")
if(url STREQUAL "")
  execute_process(COMMAND ${SCRIPTS}/postgres start ${SCRATCH}/postgres RESULT_VARIABLE code
                  OUTPUT_VARIABLE url ERROR_VARIABLE why OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT code EQUAL 0)
    message("SKIPPED: no PostgreSQL to run on: ${why}")
    return()
  endif()
  set(own TRUE)
endif()
foreach(program shop shop_coroutines)
  execute_process(COMMAND ${SCRATCH}/build/${program} ${url} RESULT_VARIABLE code_of_${program} COMMAND_ECHO STDOUT)
endforeach()
if(own)
  execute_process(COMMAND ${SCRIPTS}/postgres stop ${SCRATCH}/postgres)
endif()
foreach(program shop shop_coroutines)
  if(NOT code_of_${program} EQUAL 0)
    message(FATAL_ERROR "${program} failed (${code_of_${program}})")
  endif()
endforeach()
