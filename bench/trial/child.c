// Starting, awaiting and understanding a child.
#include "trial/child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define ENV_MAX 32

static enum sp_err start(struct sp_child *child, const char *name, const struct sp_arguments *arguments,
                         const char *const *env, const struct sp_cpus *cpus, struct sp_run_dir *dir, int fd,
                         struct sp_error *error) {
  char *stderr_file = sp_format("%s/%s.log", dir->path, name);
  char *self =
      sp_format("SERVEPATH=%s", sp_process_self()); // scripts ask this very program, and no other build
  const char *whole[ENV_MAX] = {self};
  for (size_t i = 0; env && env[i]; i++) {
    SP_ASSERT(i + 2 < ENV_MAX);
    whole[i + 1] = env[i];
  }
  struct sp_child_options options = {.name = name,
                                     .argv = (const char *const *)arguments->items,
                                     .env = whole,
                                     .cpus = cpus,
                                     .fds = &fd,
                                     .n_fds = fd >= 0,
                                     .reads_stdout = true,
                                     .stderr_file = stderr_file};
  enum sp_err err = sp_child_start(child, &options, error);
  if (!err) err = sp_run_dir_add_child(dir, child, error);
  free(self);
  free(stderr_file);
  return err;
}

enum sp_err sp_trial_child_start(struct sp_child *child, const char *name,
                                 const struct sp_arguments *arguments, const struct sp_cpus *cpus,
                                 struct sp_run_dir *dir, int fd, struct sp_error *error) {
  return start(child, name, arguments, NULL, cpus, dir, fd, error);
}

enum sp_err sp_trial_child_start_with(struct sp_child *child, const char *name,
                                      const struct sp_arguments *arguments, const char *const *env,
                                      const struct sp_cpus *cpus, struct sp_run_dir *dir,
                                      struct sp_error *error) {
  return start(child, name, arguments, env, cpus, dir, -1, error);
}

enum sp_err sp_trial_child_error(struct sp_child *child, struct sp_error *error) {
  char words[512], status[64];
  sp_child_last_words(child, words, sizeof words);
  sp_child_status_text(child, status, sizeof status);
  const char *text = words;
  if (strncmp(text, "servepath", 9) == 0 && strstr(text, ": ")) text = strstr(text, ": ") + 2;
  int code = sp_child_exit_code(child);
  enum sp_err err = code == 64 ? SP_ERR_USAGE : code == 70 ? SP_ERR_INTERNAL : SP_ERR_ENVIRONMENT;
  if ((code != 3 && code != 64 && code != 70) || !*text) {
    return sp_fail(error, err, "the %s %s%s%s", child->name, status, *text ? ": " : "", text);
  }
  return sp_fail(error, err, "%s", text);
}

enum sp_err sp_trial_child_wait(struct sp_child *child, struct sp_supervisor *supervisor, int64_t timeout_ns,
                                const char **line, struct sp_error *error) {
  enum sp_err err = sp_child_wait_ready(child, supervisor, timeout_ns, line, error);
  if (err && sp_child_poll(child) && !supervisor->signal) return sp_trial_child_error(child, error);
  return err;
}

enum sp_err sp_trial_child_finish(struct sp_child *child, struct sp_supervisor *supervisor,
                                  int64_t timeout_ns, struct sp_error *error) {
  int64_t until_ns = sp_now_ns() + timeout_ns;
  while (!sp_child_poll(child) && sp_now_ns() < until_ns) {
    sp_supervisor_wait(supervisor, &child, 1, until_ns);
    while (sp_child_next_line(child)) continue;
  }
  if (!child->has_ended) {
    return sp_fail(error, SP_ERR_ENVIRONMENT, "the %s did not end within %.3g s", child->name,
                   (double)timeout_ns / 1e9);
  }
  return sp_child_exit_code(child) == 0 ? SP_OK : sp_trial_child_error(child, error);
}

// Behind "NAME": in a line, whatever blanks stand there; NULL: it is not there.
static const char *value_of(const char *line, const char *name) {
  char *key = sp_format("\"%s\"", name);
  const char *at = strstr(line, key);
  if (at) at += strlen(key);
  free(key);
  if (at) at += strspn(at, " \t");
  if (!at || *at != ':') return NULL;
  return at + 1 + strspn(at + 1, " \t");
}

bool sp_trial_line_is_ready(const char *line) {
  const char *value = line[0] == '{' ? value_of(line, "ready") : NULL;
  return value && strncmp(value, "true", 4) == 0;
}

char *sp_trial_line_text(const char *line, const char *name) {
  const char *at = value_of(line, name), *end = at && *at == '"' ? strchr(at + 1, '"') : NULL;
  return end ? sp_format("%.*s", (int)(end - at - 1), at + 1) : NULL;
}

int64_t sp_trial_line_count(const char *line, const char *name) {
  const char *at = value_of(line, name);
  return at && *at >= '0' && *at <= '9' ? strtoll(at, NULL, 10) : -1;
}
