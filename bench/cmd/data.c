// Shared by import, export and inspect.
#include "cmd/data.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"

#define PLAIN_EVERY_NS (10 * SP_NS_PER_S)
#define BAR_CELLS      24

static void print_help(const struct sp_data_verb *verb) {
  printf("servepath %s %s\n%s\n\n", verb->name, verb->use, verb->about);
  sp_args_print_options(stdout, verb->options);
  printf("  %-26s %s\n", "-h, --help", "this page");
  if (verb->notes) printf("\n%s\n", verb->notes);
}

static enum sp_err take_operand(const struct sp_data_verb *verb, const char **operand, const char *value,
                                struct sp_error *error) {
  if (*operand)
    return sp_fail(error, SP_ERR_USAGE, "%s: a second %s; %s one at a time", value, verb->operand,
                   verb->name);
  *operand = value;
  return SP_OK;
}

static enum sp_err check(const struct sp_data_verb *verb, void *job, const char *operand,
                         struct sp_error *error) {
  if (!operand)
    return sp_fail(error, SP_ERR_USAGE, "which %s? servepath %s %s", verb->operand, verb->name, verb->use);
  return verb->check ? verb->check(job, operand, error) : SP_OK;
}

bool sp_data_read_args(const struct sp_data_verb *verb, int argc, char **argv, void *job,
                       const char **operand, int *code) {
  struct sp_args args = sp_args_of(verb->name, argc, argv, verb->options);
  const struct sp_option *option;
  const char *value;
  struct sp_error error = {0};
  enum sp_err err = SP_OK;
  *operand = NULL;
  while (!err) {
    switch (sp_args_next(&args, &option, &value, &error)) {
    case SP_ARG_OPTION: err = verb->take(job, option->flag, value, &error); break;
    case SP_ARG_OPERAND: err = take_operand(verb, operand, value, &error); break;
    case SP_ARG_ERROR: err = error.code; break;
    case SP_ARG_HELP:
      print_help(verb);
      *code = 0;
      return false;
    case SP_ARG_END:
      err = check(verb, job, *operand, &error);
      if (!err) return true;
    }
  }
  *code = sp_data_failed(verb, &error);
  return false;
}

static volatile sig_atomic_t caught_signal;

static void note_signal(int number) {
  caught_signal = number;
}

const volatile sig_atomic_t *sp_data_catch_signals(void) {
  // Without SA_RESTART, so that a read from a pipe returns.
  struct sigaction action = {.sa_handler = note_signal};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  return &caught_signal;
}

int sp_data_failed(const struct sp_data_verb *verb, const struct sp_error *error) {
  if (caught_signal) {
    fprintf(stderr, "servepath %s: ended by SIG%s; no file was written\n", verb->name,
            sigabbrev_np(caught_signal));
    return 128 + (int)caught_signal;
  }
  fprintf(stderr, "servepath %s: %s\n", verb->name, error->text);
  return sp_exit_code(error->code);
}

void sp_data_progress_init(struct sp_data_progress *progress, const char *verb) {
  progress->verb = verb;
  progress->started_ns = sp_now_ns();
  sp_live_init(&progress->live, stderr, PLAIN_EVERY_NS);
  // What is done at once needs no line.
  progress->live.next_ns = progress->started_ns + progress->live.every_ns;
}

static void draw_bar(char text[BAR_CELLS + 4], uint64_t part, uint64_t whole) {
  size_t n_full = (size_t)((double)part / (double)whole * BAR_CELLS);
  if (n_full > BAR_CELLS) n_full = BAR_CELLS;
  text[0] = '[';
  memset(text + 1, '#', n_full);
  memset(text + 1 + n_full, '.', BAR_CELLS - n_full);
  memcpy(text + 1 + BAR_CELLS, "] ", sizeof "] ");
}

void sp_data_show_progress(void *context, uint64_t n_bytes, uint64_t total_bytes, uint64_t n_events) {
  struct sp_data_progress *progress = context;
  int64_t now_ns = sp_now_ns();
  if (!sp_live_is_due(&progress->live, now_ns)) return;
  char bar[BAR_CELLS + 4] = "", share[16] = "", left[64] = "";
  char events[SP_UNITS_TEXT_BYTES], size[SP_UNITS_TEXT_BYTES], speed[SP_UNITS_TEXT_BYTES];
  double elapsed_s = (double)(now_ns - progress->started_ns) / (double)SP_NS_PER_S;
  if (total_bytes > 0 && n_bytes > 0) {
    if (progress->live.is_terminal) draw_bar(bar, n_bytes, total_bytes);
    snprintf(share, sizeof share, "%.0f%% ", 100 * (double)n_bytes / (double)total_bytes);
    double left_s = elapsed_s * ((double)total_bytes / (double)n_bytes - 1);
    snprintf(left, sizeof left, ", %.0fs left", left_s > 0 ? left_s : 0);
  }
  sp_live_show(&progress->live, now_ns, "%s %s%s%s events, %s, %s/s%s", progress->verb, bar, share,
               sp_units_print_count(n_events, events, sizeof events),
               sp_units_print_size(n_bytes, size, sizeof size),
               sp_units_print_size((uint64_t)((double)n_bytes / elapsed_s), speed, sizeof speed), left);
}
