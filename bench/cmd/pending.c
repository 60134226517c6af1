// Verbs whose files are not there yet: weak, so that each file that lands takes its place.
#include "cmd/verbs.h"

#include <stdio.h>

#define PENDING(name)                                                                                                 \
  __attribute__((weak)) int name(int argc, char **argv) {                                                             \
    (void)argc;                                                                                                       \
    fprintf(stderr, "servepath: %s is not built\n", argv[0]);                                                         \
    return 70;                                                                                                        \
  }
PENDING(sp_cmd_run)
PENDING(sp_cmd_verify)
PENDING(sp_cmd_report)
PENDING(sp_cmd_import)
PENDING(sp_cmd_export)
PENDING(sp_cmd_inspect)
PENDING(sp_cmd_model_server)
PENDING(sp_cmd_doctor)
PENDING(sp_cmd_reference)
PENDING(sp_cmd_driver)
