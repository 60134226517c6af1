# scripts/peers/*.c: bare loops that figures are compared with; a program each, built when asked for (scripts/peers/self).
file(GLOB peers CONFIGURE_DEPENDS scripts/peers/*.c)
foreach(source ${peers})
  get_filename_component(name "${source}" NAME_WE)
  add_executable(${name} EXCLUDE_FROM_ALL "${source}")
  sp_own(${name})
  sp_libraries_included("${source}" libraries)
  target_link_libraries(${name} PRIVATE ${libraries} sp_grpc)
endforeach()
