# A library sp_FOLDER for each row of the include table, linked with what that row allows: breaking a folder breaks
# only what stands on it, and a forbidden call does not link either.
set(include_table "${CMAKE_SOURCE_DIR}/scripts/check.d/includes.tsv")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${include_table}")
file(STRINGS "${include_table}" rows)
foreach(row ${rows})
  if(row MATCHES "^([a-z]+)\t(.*)$")
    list(APPEND SP_FOLDERS ${CMAKE_MATCH_1})
    string(REPLACE " " ";" may_${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
  endif()
endforeach()
list(REMOVE_ITEM SP_FOLDERS cmd)

# The libraries that a row stands for. "*/conf.h" is every folder that defines its keys in a conf.c.
function(sp_folders_of folder out)
  set(libraries sp_base)
  foreach(name ${may_${folder}})
    if(name STREQUAL "*/conf.h")
      file(GLOB confs CONFIGURE_DEPENDS bench/*/conf.c)
      foreach(conf ${confs})
        string(REGEX REPLACE ".*/bench/([a-z]+)/conf.c" "sp_\\1" library "${conf}")
        list(APPEND libraries ${library})
      endforeach()
    else()
      list(APPEND libraries sp_${name})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES libraries)
  list(REMOVE_ITEM libraries sp_${folder})
  set(${out} ${libraries} PARENT_SCOPE)
endfunction()

foreach(folder ${SP_FOLDERS})
  file(GLOB sources CONFIGURE_DEPENDS "bench/${folder}/*.c")
  sp_folders_of(${folder} libraries)
  if(sources)
    add_library(sp_${folder} STATIC ${sources})
    sp_own(sp_${folder})
    target_link_libraries(sp_${folder} PUBLIC ${libraries} ${foreign_${folder}})
  else()
    add_library(sp_${folder} INTERFACE)
    target_link_libraries(sp_${folder} INTERFACE ${libraries} ${foreign_${folder}})
  endif()
endforeach()

# Where the engines look for their libraries, from the executable's folder; SERVEPATH_ONNXRUNTIME and SERVEPATH_OPENVINO
# override it.
get_target_property(engine_type sp_engine TYPE)
if(engine_type STREQUAL "STATIC_LIBRARY")
  target_compile_definitions(sp_engine PRIVATE
    SP_ONNXRUNTIME_DEFAULT="../.cache/onnxruntime/1.28.0/libonnxruntime.so.1.28.0"
    SP_OPENVINO_DEFAULT="../.cache/openvino/2026.4.1/openvino/libs/libopenvino_c.so.2641")
  target_include_directories(sp_engine SYSTEM PRIVATE "${CMAKE_SOURCE_DIR}/third_party/onnxruntime"
    "${CMAKE_SOURCE_DIR}/third_party/openvino")
endif()
