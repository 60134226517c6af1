# proto/*.proto -> gen/proto/*.pb-c.{h,c}, included as "proto/recording.pb-c.h". Generated code is compiled apart,
# without our warnings. One .proto imports another by its name inside proto/.
find_program(PROTOC_C protoc-c)
if(NOT PROTOC_C)
  message(FATAL_ERROR "protoc-c is not installed; run scripts/setup")
endif()
file(GLOB_RECURSE protos CONFIGURE_DEPENDS RELATIVE "${CMAKE_SOURCE_DIR}/proto" "${CMAKE_SOURCE_DIR}/proto/*.proto")
set(proto_out "${CMAKE_BINARY_DIR}/gen/proto")
file(MAKE_DIRECTORY "${proto_out}")
set(proto_files ${protos})
list(TRANSFORM proto_files PREPEND "${CMAKE_SOURCE_DIR}/proto/")
foreach(proto ${protos})
  string(REGEX REPLACE "\\.proto$" ".pb-c" stem "${proto}")
  # All of them stand as dependencies, since imports are not tracked.
  add_custom_command(OUTPUT "${proto_out}/${stem}.c" "${proto_out}/${stem}.h"
    COMMAND "${PROTOC_C}" "--c_out=${proto_out}" "--proto_path=${CMAKE_SOURCE_DIR}/proto" "${CMAKE_SOURCE_DIR}/proto/${proto}"
    DEPENDS ${proto_files} COMMENT "protoc-c ${proto}" VERBATIM)
  list(APPEND proto_sources "${proto_out}/${stem}.c")
endforeach()
if(proto_sources)
  add_library(sp_proto STATIC ${proto_sources})
  set(proto_scope PUBLIC)
else()
  add_library(sp_proto INTERFACE)
  set(proto_scope INTERFACE)
endif()
target_include_directories(sp_proto SYSTEM ${proto_scope} "${CMAKE_BINARY_DIR}/gen" "${proto_out}")
target_link_libraries(sp_proto ${proto_scope} PkgConfig::libprotobuf-c)
