# base/version.h with the commit that was built. Written on every build, but only where it changed, so that just the
# files that include it are compiled again. Also the script that writes it (cmake -P).
if(CMAKE_SCRIPT_MODE_FILE)
  set(SP_VERSION "")
  find_program(GIT git)
  if(GIT)
    execute_process(COMMAND "${GIT}" -c "safe.directory=${SOURCE_DIR}" describe --always --tags --dirty
      WORKING_DIRECTORY "${SOURCE_DIR}" OUTPUT_VARIABLE SP_VERSION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
  # A machine without git still has the commit's name in the clone.
  if(NOT SP_VERSION AND EXISTS "${SOURCE_DIR}/.git/HEAD")
    file(READ "${SOURCE_DIR}/.git/HEAD" head)
    if(head MATCHES "^ref: ([^\n]+)")
      set(ref "${SOURCE_DIR}/.git/${CMAKE_MATCH_1}")
      if(EXISTS "${ref}")
        file(READ "${ref}" head)
      endif()
    endif()
    if(head MATCHES "^([0-9a-f]+)")
      string(SUBSTRING "${CMAKE_MATCH_1}" 0 7 SP_VERSION)
    endif()
  endif()
  if(NOT SP_VERSION)
    set(SP_VERSION "unknown")
  endif()
  configure_file("${CMAKE_CURRENT_LIST_DIR}/version.h.in" "${OUTPUT}" @ONLY)
  return()
endif()

set(version_header "${CMAKE_BINARY_DIR}/gen/base/version.h")
add_custom_target(sp_version BYPRODUCTS "${version_header}" COMMENT ""
  COMMAND "${CMAKE_COMMAND}" "-DSOURCE_DIR=${CMAKE_SOURCE_DIR}" "-DOUTPUT=${version_header}"
          -P "${CMAKE_CURRENT_LIST_DIR}/version.cmake")
