// --inconclusive pass|fail of gate and compare: what their exit code is where no verdict was reached.
#ifndef SP_CMD_INCONCLUSIVE_H
#define SP_CMD_INCONCLUSIVE_H

#include "base/err.h"

// choice: the flag's value; NULL: not given. SP_ERR_USAGE: neither pass nor fail.
enum sp_err sp_inconclusive_check(const char *choice, struct sp_error *error);
// pass: 0 in place of 4; fail: 1 in place of 4. Other codes stay.
int sp_inconclusive_exit_code(const char *choice, int code);

#endif
