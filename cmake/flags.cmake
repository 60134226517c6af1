# Compiler flags. sp_own(TARGET) marks a target as code of ours: all warnings, our include folders.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "RelWithDebInfo or Debug" FORCE)
endif()
# No NDEBUG anywhere: a broken invariant must stop a release build too.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-Og -g3")

add_compile_definitions(_GNU_SOURCE)
# Test programs that never call gRPC should not load it: start-up, and false reports of ThreadSanitizer.
add_link_options(-Wl,--as-needed)

if(SP_SANITIZE STREQUAL "address")
  set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=undefined)
elseif(SP_SANITIZE STREQUAL "thread")
  set(sanitize -fsanitize=thread)
elseif(SP_SANITIZE)
  message(FATAL_ERROR "SP_SANITIZE=${SP_SANITIZE} is unknown: address or thread")
endif()
if(SP_SANITIZE STREQUAL "address")
  # It looks for __cxa_throw when a program starts; where an engine that is loaded later brings libstdc++, a throw would abort.
  add_link_options(-Wl,--push-state,--no-as-needed -lstdc++ -Wl,--pop-state)
endif()
if(SP_SANITIZE)
  add_compile_options(${sanitize} -O1 -fno-omit-frame-pointer)
  add_link_options(${sanitize})
endif()

function(sp_own target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
    $<$<BOOL:${SP_WERROR}>:-Werror>)
  target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/bench")
  target_include_directories(${target} SYSTEM PRIVATE "${CMAKE_BINARY_DIR}/gen" "${CMAKE_SOURCE_DIR}/third_party")
  add_dependencies(${target} sp_version)
endfunction()
