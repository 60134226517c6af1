# tests/unit/*.c, tests/contract/*.c: a cmocka program test_NAME each, linked with the folders whose headers it includes
# (tests/support/*.c too, where it includes "support/…"). tests/cli/*.sh, tests/e2e/*.sh: run with SERVEPATH and
# SOURCE_DIR set. tests/peers/*.{py,sh}: the same, through the test environment's Python.
if(SP_TESTS STREQUAL "OFF")
  return()
endif()
pkg_check_modules(cmocka QUIET IMPORTED_TARGET cmocka)
if(NOT cmocka_FOUND)
  if(SP_TESTS STREQUAL "ON")
    message(FATAL_ERROR "cmocka is not installed; run scripts/setup --test")
  endif()
  message(STATUS "cmocka is not installed: no tests in this build (scripts/setup --test brings it)")
  return()
endif()
enable_testing()

set(test_environment "SERVEPATH=$<TARGET_FILE:servepath>" "SOURCE_DIR=${CMAKE_SOURCE_DIR}"
  "BUILD_DIR=${CMAKE_BINARY_DIR}" "PYTHON=${CMAKE_SOURCE_DIR}/.cache/venv-test/bin/python" "PYTHONDONTWRITEBYTECODE=1"
  "HDRHISTOGRAM_JAR=/usr/share/java/hdrhistogram.jar")
if(SP_SANITIZE)
  set(supp "${CMAKE_SOURCE_DIR}/cmake/sanitizers")
  find_program(SYMBOLIZER NAMES llvm-symbolizer-14 llvm-symbolizer)
  set(symbolizer "")
  if(SYMBOLIZER)
    set(symbolizer ":external_symbolizer_path=${SYMBOLIZER}")
  endif()
  list(APPEND test_environment
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1${symbolizer}"
    "UBSAN_OPTIONS=print_stacktrace=1${symbolizer}" "LSAN_OPTIONS=suppressions=${supp}/lsan.supp:print_suppressions=0"
    "TSAN_OPTIONS=ignore_noninstrumented_modules=1:allocator_may_return_null=1:second_deadlock_stack=1:suppressions=${supp}/tsan.supp${symbolizer}")
endif()

# What sanitized test programs need besides. Linked as an object, so that it comes before the sanitizer's own.
if(SP_SANITIZE)
  add_library(sp_sanitized OBJECT cmake/sanitizers/foreign.c)
  target_compile_options(sp_sanitized PRIVATE -fno-sanitize=all -fno-omit-frame-pointer -fno-optimize-sibling-calls)
  set(sanitized sp_sanitized)
endif()
if(SP_SANITIZE STREQUAL "thread")
  target_sources(sp_sanitized PRIVATE cmake/sanitizers/c11_threads.c)
endif()

function(sp_register name label timeout)
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${timeout} ENVIRONMENT "${test_environment}"
    WORKING_DIRECTORY "${CMAKE_BINARY_DIR}")
endfunction()

file(GLOB support_sources CONFIGURE_DEPENDS tests/support/*.c)
file(GLOB support_headers CONFIGURE_DEPENDS tests/support/*.h)
if(support_sources)
  add_library(sp_support STATIC ${support_sources})
  sp_own(sp_support)
  target_include_directories(sp_support PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  sp_libraries_included("${support_sources};${support_headers}" libraries)
  list(REMOVE_ITEM libraries sp_support)
  target_link_libraries(sp_support PUBLIC ${libraries} PkgConfig::cmocka)
else()
  add_library(sp_support INTERFACE)
endif()

foreach(label unit contract)
  file(GLOB sources CONFIGURE_DEPENDS "tests/${label}/*.c")
  foreach(source ${sources})
    get_filename_component(name "${source}" NAME_WE)
    string(REGEX REPLACE "^test_" "" name "${name}")
    sp_libraries_included("${source}" libraries)
    add_executable(test_${name} "${source}")
    sp_own(test_${name})
    target_include_directories(test_${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
    target_link_libraries(test_${name} PRIVATE ${sanitized} ${libraries} PkgConfig::cmocka PkgConfig::jansson)
    add_test(NAME ${label}/${name} COMMAND test_${name})
    if(label STREQUAL "unit" AND NOT SP_SANITIZE)
      sp_register(${label}/${name} ${label} 60)
    else()
      sp_register(${label}/${name} ${label} 300)
    endif()
  endforeach()
endforeach()

foreach(label cli e2e peers)
  file(GLOB scripts CONFIGURE_DEPENDS "tests/${label}/*.sh" "tests/${label}/*.py")
  foreach(script ${scripts})
    get_filename_component(name "${script}" NAME)
    if(name MATCHES "^(lib\\.(sh|py)$|_)") # helpers that tests share: lib.sh, lib.py, _ANYTHING
      continue()
    endif()
    add_test(NAME ${label}/${name} COMMAND "${CMAKE_SOURCE_DIR}/cmake/run-test" "${script}")
    sp_register(${label}/${name} ${label} 300)
  endforeach()
endforeach()

# What measures time runs alone. These look at answers, books and exit codes only, so that two of them may run at once.
set(untimed app_faust app_kafka app_streams ci_cmake ci_github ci_pytest foreign_app foreign_server kafka_script match record secured servers
  servers_tfs verify_app)
file(GLOB e2e CONFIGURE_DEPENDS RELATIVE "${CMAKE_SOURCE_DIR}/tests" tests/e2e/*.sh)
foreach(name ${e2e})
  get_filename_component(stem ${name} NAME_WE)
  if(NOT name MATCHES "/(lib\\.(sh|py)$|_)" AND NOT stem IN_LIST untimed)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL TRUE)
  endif()
endforeach()
