// One child of a trial, whatever it is. For the files of this folder.
#ifndef SP_TRIAL_CHILD_H
#define SP_TRIAL_CHILD_H

#include "os/files.h"
#include "os/process.h"
#include "trial/arguments.h"

// Starts it with stdout read and stderr in DIR/NAME.log; noted in the run's folder. fd -1: none is passed on. The child must be
// freed even after an error.
enum sp_err sp_trial_child_start(struct sp_child *child, const char *name,
                                 const struct sp_arguments *arguments, const struct sp_cpus *cpus,
                                 struct sp_run_dir *dir, int fd, struct sp_error *error);
// The same with more in its environment: "NAME=value", ends with NULL.
enum sp_err sp_trial_child_start_with(struct sp_child *child, const char *name,
                                      const struct sp_arguments *arguments, const char *const *env,
                                      const struct sp_cpus *cpus, struct sp_run_dir *dir,
                                      struct sp_error *error);
// As sp_child_wait_ready; the error of a child that ended is its own last words.
enum sp_err sp_trial_child_wait(struct sp_child *child, struct sp_supervisor *supervisor, int64_t timeout_ns,
                                const char **line, struct sp_error *error);
// The error that a child of ours ended with, as its parent's own: its last words, and the code that its exit code stands for.
enum sp_err sp_trial_child_error(struct sp_child *child, struct sp_error *error);
// Waits until a short-lived child has ended; its error where its exit code is not 0, or at the timeout.
enum sp_err sp_trial_child_finish(struct sp_child *child, struct sp_supervisor *supervisor,
                                  int64_t timeout_ns, struct sp_error *error);
// Whether it says "ready":true.
bool sp_trial_line_is_ready(const char *line);
// "NAME":"TEXT" of a line of JSON, from malloc; NULL: it is not there.
char *sp_trial_line_text(const char *line, const char *name);
// "NAME":NUMBER of such a line; -1: it is not there.
int64_t sp_trial_line_count(const char *line, const char *name);

#endif
