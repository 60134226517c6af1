// For sanitized test programs: what libraries of others need to run and to be judged there.
#include <dlfcn.h>
#include <stdlib.h>

// oneTBB, which OpenVINO brings, loads its allocator with RTLD_DEEPBIND, and the sanitizers end a program that does. Stripped
// of that flag the load is harmless.
void *__interceptor_dlopen(const char *path, int flags); // the sanitizer's own

void *dlopen(const char *path, int flags) {
  return __interceptor_dlopen(path, flags & ~RTLD_DEEPBIND);
}

// C++'s operator new. That of libstdc++ keeps no frame pointer, so that the quick unwinder loses the caller's frame, and a leak
// cannot be laid to the library that it belongs to. Where memory is refused, theirs throws, which C cannot.
void *_Znwm(size_t n_bytes) {
  void *memory = malloc(n_bytes);
  if (memory) return memory;
  void *(*throwing)(size_t) = NULL;
  *(void **)(void *)&throwing = dlsym(RTLD_NEXT, "_Znwm");
  return throwing(n_bytes);
}
