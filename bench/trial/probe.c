// Forked, because a library that was once started cannot be put away again.
#include "trial/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec/codec.h"
#include "path/path.h"

struct findings { // through a pipe, as it is
  enum sp_err err;
  struct sp_error error;
  struct sp_probe probe;
};

static void ignore(struct sp_request *request, void *context) {
  (void)request, (void)context; // nothing is submitted
}

static void note(const struct sp_path *path, struct sp_probe *probe) {
  snprintf(probe->library, sizeof probe->library, "%s", sp_path_library(path));
  probe->output = *sp_path_output(path);
  probe->has_output = probe->output.dtype != SP_DTYPE_NONE;
  const struct sp_rpc_server_facts *server = sp_path_server_facts(path);
  probe->has_server = server != NULL;
  if (server) probe->server = *server;
}

static enum sp_err look(const struct sp_scenario *scenario, const struct sp_side *side,
                        const char *server_address, struct sp_probe *probe, struct sp_error *error) {
  bool has_no_server = strcmp(side->path.path, "rpc") == 0 && !server_address;
  struct sp_clock clock = {0};
  struct sp_decoder *decoder = NULL;
  struct sp_path *path = NULL;
  struct sp_path_env env = {.clock = &clock,
                            .model_name = scenario->model.name,
                            .version_label = scenario->model.label,
                            .output = scenario->output.tensor,
                            .max_rows = side->app.batch,
                            .n_workers = 1,
                            .n_requests_per_worker = 1,
                            .engine = &side->engine,
                            .rpc = &side->rpc,
                            .server_address = server_address,
                            .done = ignore};
  char *version_dir = NULL;
  enum sp_err err = sp_model_version_dir(&scenario->model, &env.model_version, &version_dir, error);
  env.version_dir = version_dir;
  if (!err) err = sp_decoder_new(&scenario->input, &decoder, error);
  if (!err) env.inputs = sp_decoder_tensors(decoder, &env.n_inputs);
  if (!err) err = sp_path_open(has_no_server ? "embedded" : side->path.path, &env, &path, error);
  if (!err) note(path, probe);
  sp_path_close(path);
  sp_decoder_free(decoder);
  free(version_dir);
  return err;
}

static void write_whole(int fd, const void *bytes, size_t n) {
  for (const char *at = bytes; n > 0;) {
    ssize_t written = write(fd, at, n);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    at += written;
    n -= (size_t)written;
  }
}

static size_t read_whole(int fd, void *bytes, size_t n) {
  size_t n_read = 0;
  while (n_read < n) {
    ssize_t got = read(fd, (char *)bytes + n_read, n - n_read);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    n_read += (size_t)got;
  }
  return n_read;
}

static enum sp_err fail(const char *what, struct sp_error *error) {
  return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot look at the model in a process of its own: %s", what);
}

enum sp_err sp_probe_side(const struct sp_scenario *scenario, const struct sp_side *side,
                          const char *server_address, struct sp_probe *probe, struct sp_error *error) {
  struct findings findings = {0};
  int fds[2], status = 0;
  pid_t parent = getpid();
  *probe = (struct sp_probe){0};
  if (pipe2(fds, O_CLOEXEC) != 0) return fail(strerror(errno), error);
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    findings.err = look(scenario, side, server_address, &findings.probe, &findings.error);
    write_whole(fds[1], &findings, sizeof findings);
    _exit(0);
  }
  close(fds[1]);
  bool is_told = pid > 0 && read_whole(fds[0], &findings, sizeof findings) == sizeof findings;
  close(fds[0]);
  if (pid < 0) return fail(strerror(errno), error);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  char text[64];
  snprintf(text, sizeof text, WIFSIGNALED(status) ? "it was killed by signal %d" : "it exited with code %d",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  if (!is_told) return fail(text, error);
  *probe = findings.probe;
  return findings.err ? sp_fail(error, findings.err, "%s", findings.error.text) : SP_OK;
}
