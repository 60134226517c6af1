// Whether a stored result's files belong together and are all there, before a verdict is made of them.
#ifndef SP_RESULT_WHOLE_H
#define SP_RESULT_WHOLE_H

#include "result/result.h"

// The interval log beside a complete result holds every answered event that the result counts. SP_OK where there is no log.
// SP_ERR_ENVIRONMENT: it cannot be read, or holds fewer or more (cut off, or of another trial). Blocks on the file.
enum sp_err sp_result_check_log(const struct sp_result *result, const char *folder, struct sp_error *error);

#endif
