# Helpers that keep each folder's CMakeLists.txt to a few lines.

# add_module(NAME [DEPENDS target...] [PRIVATE target...] [EXCLUDE regex])
# A static library of all .cpp files of the current folder and its sub-folders.
function(add_module name)
  cmake_parse_arguments(ARG "FLAT" "EXCLUDE" "DEPENDS;PRIVATE" ${ARGN})
  if(ARG_FLAT)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  else()
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  endif()
  if(ARG_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX ${ARG_EXCLUDE})
  endif()
  if(NOT sources)
    add_library(millrace_${name} INTERFACE)
    target_include_directories(millrace_${name} INTERFACE ${PROJECT_SOURCE_DIR})
    target_link_libraries(millrace_${name} INTERFACE ${ARG_DEPENDS})
    return()
  endif()
  add_library(millrace_${name} STATIC ${sources})
  set_target_properties(millrace_${name} PROPERTIES LINKER_LANGUAGE CXX)
  target_include_directories(millrace_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(millrace_${name} PUBLIC ${ARG_DEPENDS} PRIVATE millrace_options ${ARG_PRIVATE})
endfunction()

# add_connector(NAME [NEEDS target...]): one folder below connectors/. Left out, with one status line,
# where a library it needs is missing. Every connector that is built enters the generated catalogue.
function(add_connector name)
  cmake_parse_arguments(ARG "" "" "NEEDS" ${ARGN})
  foreach(library IN LISTS ARG_NEEDS)
    if(NOT TARGET ${library})
      message(STATUS "millrace: no '${name}' connector in this build (${library} not found)")
      return()
    endif()
  endforeach()
  set(CMAKE_CURRENT_SOURCE_DIR ${CMAKE_CURRENT_SOURCE_DIR}/${name})
  add_module(${name} DEPENDS millrace_sdk PRIVATE millrace_asio ${ARG_NEEDS})
  set_property(GLOBAL APPEND PROPERTY MILLRACE_CONNECTORS ${name})
endfunction()

# write_connector_catalogue(TARGET): generates the list of the connectors of this build; linkers drop
# objects that only register themselves, so the list names each one.
function(write_connector_catalogue target)
  get_property(names GLOBAL PROPERTY MILLRACE_CONNECTORS)
  set(declarations "")
  set(entries "")
  foreach(name IN LISTS names)
    string(APPEND declarations "namespace millrace::${name} {\nextern const sdk::Connector connector;\n}\n")
    string(APPEND entries "    &${name}::connector,\n")
    target_link_libraries(${target} PUBLIC millrace_${name})
  endforeach()
  configure_file(${PROJECT_SOURCE_DIR}/cmake/catalogue.cpp.in ${CMAKE_CURRENT_BINARY_DIR}/catalogue.cpp @ONLY)
  target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/catalogue.cpp)
endfunction()

# add_test_suite(NAME FOLDER [DEPENDS target...]): one GoogleTest program of all *_test.cpp of a folder
# of tests/; each TEST is a ctest entry.
function(add_test_suite name folder)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LABELS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_tests ${sources})
  target_include_directories(${name}_tests PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name}_tests PRIVATE ${ARG_DEPENDS} millrace_options GTest::gmock_main)
  target_compile_definitions(${name}_tests PRIVATE MILLRACE_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                             MILLRACE_BINARY_DIR="${PROJECT_BINARY_DIR}")
  gtest_discover_tests(${name}_tests TEST_PREFIX "${name}." PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 120
                       DISCOVERY_TIMEOUT 60)
endfunction()
