// Delay distributions of the stub server.
#include "server/delay.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/prng.h"
#include "base/units.h"
#include "server/which.h"

#define Z_P99       2.3263478740408408 // standard normal quantile of 0.99
#define N_FILE_MAX  ((size_t)10000000)
#define N_RULES_MAX 8

enum shape { SHAPE_CONSTANT, SHAPE_EXPONENTIAL, SHAPE_UNIFORM, SHAPE_LOGNORMAL, SHAPE_FILE };

struct rule {
  struct sp_which *which;
  struct sp_delay *delay;
};

struct sp_delay {
  enum shape shape;
  bool is_serial;
  uint64_t seed;
  size_t n_rules;
  struct rule rules[N_RULES_MAX];
  int64_t a_ns, b_ns; // constant: a; exponential: mean a; uniform: a..b; lognormal: median a, p99 b
  size_t n_file;
  int64_t *file_ns;
};

static enum sp_err parse_part(const char *text, size_t n, const char *whole, int64_t *ns,
                              struct sp_error *error) {
  char part[64];
  snprintf(part, sizeof part, "%.*s", (int)(n < sizeof part ? n : sizeof part - 1), text);
  struct sp_error why;
  if (sp_units_parse_duration(part, ns, &why) == SP_OK) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "delay: %s: %s", whole, why.text);
}

static enum sp_err parse_uniform(const char *text, const char *whole, struct sp_delay *delay,
                                 struct sp_error *error) {
  const char *dots = strstr(text, "..");
  if (!dots) return sp_fail(error, SP_ERR_USAGE, "delay: %s has no range; write uniform:1ms..3ms", whole);
  enum sp_err err = parse_part(text, (size_t)(dots - text), whole, &delay->a_ns, error);
  if (!err) err = parse_part(dots + 2, strlen(dots + 2), whole, &delay->b_ns, error);
  if (!err && delay->b_ns < delay->a_ns)
    err = sp_fail(error, SP_ERR_USAGE, "delay: %s ends before it begins", whole);
  return err;
}

static enum sp_err parse_lognormal(const char *text, const char *whole, struct sp_delay *delay,
                                   struct sp_error *error) {
  const char *comma = strchr(text, ',');
  if (strncmp(text, "median=", 7) != 0 || !comma || strncmp(comma, ",p99=", 5) != 0) {
    return sp_fail(error, SP_ERR_USAGE, "delay: %s: write lognormal:median=1ms,p99=10ms", whole);
  }
  enum sp_err err = parse_part(text + 7, (size_t)(comma - text) - 7, whole, &delay->a_ns, error);
  if (!err) err = parse_part(comma + 5, strlen(comma + 5), whole, &delay->b_ns, error);
  if (!err && (delay->a_ns <= 0 || delay->b_ns < delay->a_ns)) {
    err = sp_fail(error, SP_ERR_USAGE, "delay: %s: the median must be above 0 and p99 not below it", whole);
  }
  return err;
}

static enum sp_err read_line(const char *path, char *line, struct sp_delay *delay, struct sp_error *error) {
  line[strcspn(line, "\r\n")] = 0;
  struct sp_error why;
  if (delay->n_file % 1024 == 0) {
    delay->file_ns = sp_realloc(delay->file_ns, (delay->n_file + 1024) * sizeof *delay->file_ns);
  }
  if (delay->n_file == N_FILE_MAX) {
    return sp_fail(error, SP_ERR_USAGE, "%s: more than %zu delays; shorten it", path, N_FILE_MAX);
  }
  if (sp_units_parse_duration(line, &delay->file_ns[delay->n_file++], &why) == SP_OK) return SP_OK;
  return sp_fail(error, SP_ERR_USAGE, "%s:%zu: %s", path, delay->n_file, why.text);
}

static enum sp_err parse_file(const char *path, struct sp_delay *delay, struct sp_error *error) {
  FILE *file = fopen(path, "re");
  if (!file) return sp_fail(error, SP_ERR_ENVIRONMENT, "cannot read %s (%s)", path, strerror(errno));
  char line[128];
  enum sp_err err = SP_OK;
  while (!err && fgets(line, sizeof line, file)) err = read_line(path, line, delay, error);
  fclose(file);
  if (!err && !delay->n_file)
    err = sp_fail(error, SP_ERR_USAGE, "%s holds no delay; write one a line, as 250us", path);
  return err;
}

static enum sp_err parse(const char *text, struct sp_delay *delay, struct sp_error *error) {
  const char *rest = text;
  if (strncmp(rest, "serial:", 7) == 0) {
    delay->is_serial = true;
    rest += 7;
  }
  if (strncmp(rest, "uniform:", 8) == 0) {
    delay->shape = SHAPE_UNIFORM;
    return parse_uniform(rest + 8, text, delay, error);
  }
  if (strncmp(rest, "lognormal:", 10) == 0) {
    delay->shape = SHAPE_LOGNORMAL;
    return parse_lognormal(rest + 10, text, delay, error);
  }
  if (strncmp(rest, "file:", 5) == 0) {
    delay->shape = SHAPE_FILE;
    return parse_file(rest + 5, delay, error);
  }
  if (strncmp(rest, "exp:", 4) == 0) {
    delay->shape = SHAPE_EXPONENTIAL;
    rest += 4;
  }
  if (strchr(rest, ':')) {
    return sp_fail(
        error, SP_ERR_USAGE,
        "delay: %s is unknown; write 5ms, exp:2ms, uniform:1ms..3ms, "
        "lognormal:median=1ms,p99=10ms or file:FILE, with serial: before it for one call at a time, and "
        "5ms;at_event=17:50ms for one event",
        text);
  }
  return parse_part(rest, strlen(rest), text, &delay->a_ns, error);
}

static enum sp_err parse_rule(const char *text, struct sp_delay *delay, struct sp_error *error) {
  const char *colon = strchr(text, ':');
  if (!colon || strncmp(colon + 1, "serial:", 7) == 0)
    return sp_fail(error, SP_ERR_USAGE, "delay: %s: write at_event=17:50ms; serial: stands before all rules",
                   text);
  if (delay->n_rules == N_RULES_MAX)
    return sp_fail(error, SP_ERR_USAGE, "delay: %s: more than %d rules", text, N_RULES_MAX);
  struct rule *rule = &delay->rules[delay->n_rules++];
  char *which = sp_format("%.*s", (int)(colon - text), text);
  enum sp_err err = sp_which_new("delay", which, &rule->which, error);
  free(which);
  if (!err) err = sp_delay_new(colon + 1, delay->seed, &rule->delay, error);
  return err;
}

// Cuts the next part off *text at a semicolon behind which a rule stands: the name of a file may hold others.
static char *next_part(char **text) {
  char *part = *text, *end = part;
  if (!part) return NULL;
  while (*end && !(*end == ';' && sp_which_is(end + 1))) end++;
  *text = *end ? end + 1 : NULL;
  *end = '\0';
  return part;
}

static enum sp_err parse_all(const char *text, struct sp_delay *delay, struct sp_error *error) {
  char *copy = sp_copy_text(text), *rest = copy;
  enum sp_err err = SP_OK;
  for (const char *part; !err && (part = next_part(&rest));) {
    if (sp_which_is(part))
      err = parse_rule(part, delay, error);
    else
      err = parse(part, delay, error);
  }
  free(copy);
  return err;
}

enum sp_err sp_delay_new(const char *text, uint64_t seed, struct sp_delay **made, struct sp_error *error) {
  struct sp_delay *delay = sp_alloc(sizeof *delay);
  delay->seed = seed;
  enum sp_err err = parse_all(text, delay, error);
  if (err)
    sp_delay_free(delay);
  else
    *made = delay;
  return err;
}

void sp_delay_free(struct sp_delay *delay) {
  if (!delay) return;
  for (size_t i = 0; i < delay->n_rules; i++) {
    sp_which_free(delay->rules[i].which);
    sp_delay_free(delay->rules[i].delay);
  }
  free(delay->file_ns);
  free(delay);
}

bool sp_delay_asks_events(const struct sp_delay *delay) {
  for (size_t i = 0; i < delay->n_rules; i++) {
    if (sp_which_is_of_events(delay->rules[i].which)) return true;
  }
  return false;
}

enum sp_err sp_delay_bind(struct sp_delay *delay, size_t n_events, struct sp_error *error) {
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < delay->n_rules && !err; i++) {
    struct sp_which *which = delay->rules[i].which;
    if (sp_which_is_of_events(which)) err = sp_which_bind(which, n_events, error);
  }
  return err;
}

bool sp_delay_is_serial(const struct sp_delay *delay) {
  return delay->is_serial;
}

static int64_t draw_ns(const struct sp_delay *delay, uint64_t k) {
  if (delay->shape == SHAPE_CONSTANT) return delay->a_ns;
  if (delay->shape == SHAPE_FILE) return delay->file_ns[k % delay->n_file];
  struct sp_prng prng; // a generator per call: threads share nothing, and call k is the same in every run
  sp_prng_init(&prng, delay->seed * UINT64_C(0x9e3779b97f4a7c15) + k, SP_PRNG_STUB);
  double a = (double)delay->a_ns, b = (double)delay->b_ns;
  switch (delay->shape) {
  case SHAPE_EXPONENTIAL: return llround(a * sp_prng_exponential(&prng));
  case SHAPE_UNIFORM: return llround(a + (b - a) * sp_prng_uniform(&prng));
  default: return llround(a * exp(log(b / a) / Z_P99 * sp_prng_normal(&prng)));
  }
}

int64_t sp_delay_ns(const struct sp_delay *delay, uint64_t k, size_t event) {
  for (size_t i = 0; i < delay->n_rules; i++) {
    const struct rule *rule = &delay->rules[i];
    if (sp_which_holds(rule->which, k + 1, event)) return draw_ns(rule->delay, k);
  }
  return draw_ns(delay, k);
}
