# find_package(Millrace): Millrace::sdk, Millrace::postgres and Millrace::yaml, for programs without the engine.
#
#   cmake --install build/release --component library --prefix /usr/local
#   find_package(Millrace COMPONENTS postgres)
#   target_link_libraries(shop PRIVATE Millrace::postgres)
#
# <millrace/postgres.hpp> and its kin are for users; the headers below connectors/ stand beside them.
include(CMakePackageConfigHelpers)

set(millrace_libraries millrace_sdk millrace_asio)
if(TARGET millrace_postgres)
  list(APPEND millrace_libraries millrace_postgres)
  # <millrace/postgres_asio.hpp> includes Asio.
  target_link_libraries(millrace_postgres PUBLIC Boost::headers)
endif()
if(TARGET millrace_yaml)
  list(APPEND millrace_libraries millrace_dsl millrace_yaml)
endif()
foreach(library IN LISTS millrace_libraries)
  string(REPLACE "millrace_" "" name ${library})
  set_target_properties(${library} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(${library} PUBLIC cxx_std_20)
  target_include_directories(${library} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/runtime/library/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/millrace>)
endforeach()

set(millrace_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Millrace)
install(TARGETS ${millrace_libraries} EXPORT MillraceTargets COMPONENT library
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT MillraceTargets NAMESPACE Millrace:: DESTINATION ${millrace_package_dir} COMPONENT library)

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/MillraceConfig.cmake.in
  ${PROJECT_BINARY_DIR}/MillraceConfig.cmake INSTALL_DESTINATION ${millrace_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/MillraceConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/MillraceConfig.cmake ${PROJECT_BINARY_DIR}/MillraceConfigVersion.cmake
        DESTINATION ${millrace_package_dir} COMPONENT library)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/runtime/library/include/millrace DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/connectors/sdk DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/millrace/connectors
        COMPONENT library FILES_MATCHING PATTERN *.hpp)
install(FILES ${PROJECT_SOURCE_DIR}/connectors/asio/reactor.hpp COMPONENT library
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/millrace/connectors/asio)
set(millrace_client_headers asio callback_connector config connection_factory pool_info row_stream sync_connector)
list(TRANSFORM millrace_client_headers REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/connectors/postgres/client/\\1.hpp")
install(FILES ${millrace_client_headers} COMPONENT library
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/millrace/connectors/postgres/client)
