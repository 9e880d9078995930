// Loaded before the programs that scripts/sanitize-thread runs. Swift's runtime announces what happens before what when
// tasks go from thread to thread, once the thread sanitizer has called the function below; on Linux the sanitizer calls an
// empty one of its own, and every hand-over would count as a race.
#define _GNU_SOURCE
#include <dlfcn.h>

__attribute__((constructor)) static void show_tasks(void) {
  if (!dlsym(RTLD_DEFAULT, "__tsan_acquire")) return;
  void *core = dlopen("libswiftCore.so", RTLD_LAZY | RTLD_NOLOAD);
  if (!core) return;
  void (*on_initialize)(void) = (void (*)(void))dlsym(core, "__tsan_on_initialize");
  if (on_initialize) on_initialize();
}
