#include "cmd/inconclusive.h"

#include <string.h>

enum sp_err sp_inconclusive_check(const char *choice, struct sp_error *error) {
  if (!choice || strcmp(choice, "pass") == 0 || strcmp(choice, "fail") == 0) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "--inconclusive: \"%.60s\" is neither pass nor fail", choice);
}

int sp_inconclusive_exit_code(const char *choice, int code) {
  if (!choice || code != sp_exit_code(SP_ERR_INCONCLUSIVE)) return code;
  return strcmp(choice, "pass") == 0 ? 0 : sp_exit_code(SP_ERR_FAILED);
}
