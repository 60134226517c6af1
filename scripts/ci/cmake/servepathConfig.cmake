# find_package(servepath): replays of recorded events through an application of yours, as tests of CTest.
#
#   list(APPEND CMAKE_PREFIX_PATH PATH/TO/servepath/scripts/ci/cmake)        # or -Dservepath_DIR=
#   find_package(servepath REQUIRED)
#   servepath_add_replay_test(NAME replay SCENARIO ${CMAKE_SOURCE_DIR}/fixtures/fraud APP $<TARGET_FILE:my-app> LIMIT 200
#                             LABELS kafka)
#
# The program is sought in $SERVEPATH, beside this file's repository (build/servepath) and on the PATH; SERVEPATH_PROGRAM names it.
set(_servepath_named "$ENV{SERVEPATH}")
if(_servepath_named AND NOT SERVEPATH_PROGRAM)
  set(SERVEPATH_PROGRAM "${_servepath_named}" CACHE FILEPATH "the program servepath")
endif()
unset(_servepath_named)
get_filename_component(_servepath_root "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
find_program(SERVEPATH_PROGRAM servepath HINTS "${_servepath_root}/build" DOC "the program servepath")
unset(_servepath_root)
if(NOT SERVEPATH_PROGRAM OR NOT EXISTS "${SERVEPATH_PROGRAM}")
  set(servepath_FOUND FALSE)
  set(servepath_NOT_FOUND_MESSAGE "the program servepath is not there (${SERVEPATH_PROGRAM}); build it with scripts/build, \
and set SERVEPATH in the environment or -DSERVEPATH_PROGRAM=")
  return()
endif()

# servepath_add_replay_test(NAME test SCENARIO folder APP command [LIMIT n] [SIDE name] [BROKER mock|kafka|HOST:PORT]
#                           [LABELS label...] [TIMEOUT seconds] [ARGUMENTS flag...])
#
# The test TEST fails unless APP, a shell command that reads SERVEPATH_BROKER, SERVEPATH_INPUT_TOPIC, SERVEPATH_OUTPUT_TOPIC and
# SERVEPATH_GROUP from its environment, answers each event once and rightly. Its JUnit file is
# ${CMAKE_CURRENT_BINARY_DIR}/servepath/TEST.xml, the result folder of its last run TEST beside it. BROKER is kafka if absent: one
# of the test's own, so that tests can run beside each other. Relative SCENARIO: of the source folder, in which APP is run too.
# TIMEOUT is 120 s if absent. ARGUMENTS are more flags of servepath verify.
function(servepath_add_replay_test)
  set(one NAME SCENARIO APP LIMIT SIDE BROKER TIMEOUT)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "${one}" "LABELS;ARGUMENTS")
  foreach(needed NAME SCENARIO APP)
    if(NOT arg_${needed})
      message(FATAL_ERROR "servepath_add_replay_test(${arg_NAME}): ${needed} is missing; write "
        "servepath_add_replay_test(NAME test SCENARIO folder APP command)")
    endif()
  endforeach()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "servepath_add_replay_test(${arg_NAME}): \"${arg_UNPARSED_ARGUMENTS}\" is unknown; the arguments are "
      "NAME SCENARIO APP LIMIT SIDE BROKER LABELS TIMEOUT ARGUMENTS")
  endif()
  if(DEFINED arg_LIMIT AND NOT arg_LIMIT MATCHES "^[1-9][0-9]*$")
    message(FATAL_ERROR "servepath_add_replay_test(${arg_NAME}): LIMIT \"${arg_LIMIT}\" is no count of events")
  endif()
  if(NOT arg_NAME MATCHES "^[A-Za-z0-9._-]+$")
    message(FATAL_ERROR "servepath_add_replay_test(${arg_NAME}): NAME is that of a file too; use letters, digits, ., - and _")
  endif()
  get_filename_component(scenario "${arg_SCENARIO}" ABSOLUTE)
  if(NOT EXISTS "${scenario}")
    message(FATAL_ERROR "servepath_add_replay_test(${arg_NAME}): SCENARIO ${scenario} does not exist")
  endif()
  set(out "${CMAKE_CURRENT_BINARY_DIR}/servepath")
  set(flags --quiet)
  foreach(flag LIMIT SIDE BROKER)
    string(TOLOWER "--${flag}" written)
    if(DEFINED arg_${flag})
      list(APPEND flags ${written} "${arg_${flag}}")
    endif()
  endforeach()
  if(NOT DEFINED arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  file(MAKE_DIRECTORY "${out}")
  add_test(NAME "${arg_NAME}" COMMAND "${SERVEPATH_PROGRAM}" verify "${scenario}" --app "${arg_APP}"
    --junit "${out}/${arg_NAME}.xml" --out "${out}/${arg_NAME}" ${flags} ${arg_ARGUMENTS}
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  set_tests_properties("${arg_NAME}" PROPERTIES TIMEOUT "${arg_TIMEOUT}" LABELS "${arg_LABELS}")
endfunction()
