// Cells in turn.
#include "decide/sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text_stream.h"
#include "base/units.h"
#include "decide/axes.h"
#include "os/files.h"
#include "report/crossover.h"
#include "report/html.h"

#define TRIAL_EXTRA_NS (2 * SP_NS_PER_S)  // processes that start, and a drain that ends early
#define BROKER_NS      (15 * SP_NS_PER_S) // a Kafka of our own for each cell
#define MAP_FILE       "crossover.md"
#define PAGE_FILE      "report.html"

struct job {
  const struct sp_sweep_plan *plan;
  struct sp_sweep *sweep;
  char **flags; // of each axis; NULL: --set
  size_t *order;
  int64_t expected_ns; // of all cells that are pending
  size_t n_run;        // of this process
  int64_t spent_ns;
};

// --- Axes ---

static enum sp_err read_axes(struct job *job, struct sp_error *error) {
  const struct sp_cli *cli = job->plan->cli;
  struct sp_sweep *sweep = job->sweep;
  enum sp_err err = SP_OK;
  sweep->axes = sp_alloc(SP_SWEEP_AXES * sizeof *sweep->axes);
  job->flags = sp_alloc(SP_SWEEP_AXES * sizeof *job->flags);
  for (size_t i = 0; i < cli->n_given && !err; i++) {
    if (strcmp(cli->given[i]->flag, "--sweep") != 0) continue;
    if (sweep->n_axes == SP_SWEEP_AXES)
      return sp_fail(error, SP_ERR_USAGE, "--sweep: more than %d axes; take one away", SP_SWEEP_AXES);
    size_t axis_i = sweep->n_axes++;
    err = sp_axis_parse(cli->verb, cli->given_values[i], &sweep->axes[axis_i], &job->flags[axis_i], error);
  }
  if (!err) err = sp_axes_check(cli, sweep->axes, sweep->n_axes, error);
  if (!err) err = sp_axes_cells(sweep, error);
  return err;
}

static void describe(struct job *job) {
  const struct sp_sweep_plan *plan = job->plan;
  struct sp_sweep *sweep = job->sweep;
  struct sp_comparison *now = sp_comparison_new(); // for its time
  sweep->started_at = sp_copy_text(now->started_at);
  sp_comparison_free(now);
  sweep->scenario = sp_copy_text(plan->scenario);
  sweep->reference = sp_copy_text(plan->sides[plan->reference_i]);
  sweep->sides = sp_alloc(plan->n_sides * sizeof *sweep->sides);
  for (size_t i = 0; i < plan->n_sides; i++) sweep->sides[sweep->n_sides++] = sp_copy_text(plan->sides[i]);
  sweep->command = sp_alloc(((size_t)plan->argc + 1) * sizeof *sweep->command);
  sweep->command[sweep->n_command++] = sp_copy_text("servepath");
  for (int i = 0; i < plan->argc; i++) sweep->command[sweep->n_command++] = sp_copy_text(plan->argv[i]);
}

// --- One cell's command line ---

struct cell { // on its way
  char **argv;
  int argc;
  struct sp_cli *cli;
  struct sp_scenario *scenario;
};

// Whether argv[i] is this option; *n: how many arguments it takes up. A value that starts with "--" is never one of its own.
static bool is_option(char **argv, int i, const char *flag, int *n) {
  size_t n_flag = strlen(flag);
  *n = argv[i][n_flag >= strlen(argv[i]) ? strlen(argv[i]) : n_flag] == '=' ? 1 : 2;
  return strncmp(argv[i], flag, n_flag) == 0 && (argv[i][n_flag] == '\0' || argv[i][n_flag] == '=');
}

// The command line without what makes it a sweep, and with this cell's values first.
static void make_argv(const struct job *job, const struct sp_sweep_cell *cell, struct cell *out) {
  const struct sp_sweep_plan *plan = job->plan;
  const struct sp_sweep *sweep = job->sweep;
  bool are_operands = false;
  int n;
  out->argv = sp_alloc(((size_t)plan->argc + 2 * SP_SWEEP_AXES + 3) * sizeof *out->argv);
  out->argv[out->argc++] = sp_copy_text(plan->argv[0]);
  out->argv[out->argc++] = sp_format("--out=%s/cells/%s", plan->dir, cell->name);
  for (size_t i = 0; i < sweep->n_axes; i++) {
    out->argv[out->argc++] = job->flags[i] ? sp_format("%s=%s", job->flags[i], cell->values[i])
                                           : sp_format("--set=%s=%s", sweep->axes[i].key, cell->values[i]);
  }
  for (int i = 1; i < plan->argc;) {
    bool is_left_out =
        !are_operands && (is_option(plan->argv, i, "--sweep", &n) || is_option(plan->argv, i, "--out", &n));
    are_operands |= strcmp(plan->argv[i], "--") == 0;
    if (!is_left_out) out->argv[out->argc++] = sp_copy_text(plan->argv[i]);
    i += is_left_out ? n : 1;
  }
}

static void cell_done(struct cell *cell) {
  sp_scenario_free(cell->scenario);
  sp_cli_free(cell->cli);
  for (int i = 0; i < cell->argc; i++) free(cell->argv[i]);
  free(cell->argv);
  *cell = (struct cell){0};
}

static enum sp_err load_cell(const struct job *job, const struct sp_sweep_cell *cell, struct cell *out,
                             struct sp_error *error) {
  struct sp_error why;
  *out = (struct cell){0};
  make_argv(job, cell, out);
  enum sp_err err = sp_cli_parse(job->plan->cli->verb, out->argc, out->argv, &out->cli, &why);
  if (!err) err = sp_cli_load(out->cli, &out->scenario, &why);
  if (err) sp_fail(error, err, "--sweep: cell %s: %s", cell->name, why.text);
  return err;
}

// --- What a cell is ---

static bool is_of_the_verdict(const char *flag) {
  static const char *const flags[] = {"--reference", "--delta", "--metrics"};
  for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
    if (strcmp(flag, flags[i]) == 0) return true;
  }
  return false;
}

// Of all that decides what the cell's comparison measures and says.
static enum sp_err make_digest(const struct sp_sweep_plan *plan, const struct cell *loaded,
                               struct sp_sweep_cell *cell, struct sp_error *error) {
  char digest[SP_DIGEST_TEXT_BYTES], build[SP_DIGEST_TEXT_BYTES], recording[SP_DIGEST_TEXT_BYTES];
  enum sp_err err = sp_digest_file(sp_process_self(), build, error);
  if (!err) err = sp_digest_file(loaded->scenario->recording, recording, error);
  if (err) return err;
  struct sp_text_stream all;
  FILE *to = sp_text_stream_open(&all);
  fprintf(to, "%s\n%s\n%s\n%zu\n", build, recording, loaded->scenario->resolved_json, plan->n_pairs);
  for (size_t i = 0; i < plan->n_sides; i++) fprintf(to, "%s\n", plan->sides[i]);
  for (size_t i = 0; i < loaded->cli->n_given; i++) {
    if (is_of_the_verdict(loaded->cli->given[i]->flag))
      fprintf(to, "%s=%s\n", loaded->cli->given[i]->flag, loaded->cli->given_values[i]);
  }
  char *text = sp_text_stream_close(&all);
  sp_digest_bytes(sp_bytes_of(text, all.n), digest);
  cell->digest = sp_copy_text(digest);
  free(text);
  return SP_OK;
}

static int64_t expect(const struct sp_sweep_plan *plan, const struct sp_scenario *scenario) {
  const struct sp_load_conf *load = &scenario->load;
  int64_t trial_ns = load->warmup_ns + load->duration_ns + TRIAL_EXTRA_NS;
  bool has_broker = false;
  for (size_t i = 0; i < plan->n_sides; i++)
    has_broker |= strcmp(sp_scenario_way(scenario, sp_scenario_side(scenario, plan->sides[i])), "kafka") == 0;
  return trial_ns * (int64_t)(plan->n_pairs * plan->n_sides) + (has_broker ? BROKER_NS : 0);
}

// Every cell is loaded once before anything starts: a slip in the last one is not found after an hour.
static enum sp_err check_cells(struct job *job, struct sp_error *error) {
  enum sp_err err = SP_OK;
  for (size_t i = 0; i < job->sweep->n_cells && !err; i++) {
    struct sp_sweep_cell *cell = &job->sweep->cells[i];
    struct cell loaded;
    err = load_cell(job, cell, &loaded, error);
    if (!err) err = make_digest(job->plan, &loaded, cell, error);
    if (!err) job->expected_ns += expect(job->plan, loaded.scenario);
    cell_done(&loaded);
  }
  return err;
}

// --- Going on ---

static const struct sp_sweep_cell *cell_of_name(const struct sp_sweep *sweep, const char *name) {
  for (size_t i = 0; i < sweep->n_cells; i++) {
    if (strcmp(sweep->cells[i].name, name) == 0) return &sweep->cells[i];
  }
  return NULL;
}

// A cell of this sweep that is done there already, for good.
static enum sp_err take_cell(struct job *job, const struct sp_sweep *earlier, struct sp_sweep_cell *cell,
                             struct sp_error *error) {
  const struct sp_sweep_cell *known = cell_of_name(earlier, cell->name);
  struct sp_comparison *c = NULL;
  if (!known) return SP_OK;
  if (!known->digest || strcmp(known->digest, cell->digest) != 0)
    return sp_fail(
        error, SP_ERR_USAGE,
        "%s holds cell %s of a sweep with other settings, or of another build; name another folder with "
        "--out",
        job->plan->dir, cell->name);
  if (known->state != SP_SWEEP_DONE) return SP_OK;
  char *folder = sp_format("%s/cells/%s", job->plan->dir, cell->name);
  if (sp_comparison_read(folder, &c, NULL) == SP_OK && c->complete) // lost or damaged: it is run again
    sp_sweep_cell_take(cell, c);
  sp_comparison_free(c);
  free(folder);
  return SP_OK;
}

static enum sp_err take_earlier(struct job *job, struct sp_error *error) {
  struct sp_sweep earlier = {0};
  struct stat facts;
  char *path = sp_format("%s/" SP_SWEEP_FILE, job->plan->dir);
  bool is_there = stat(path, &facts) == 0;
  enum sp_err err = is_there ? sp_sweep_read(path, &earlier, error) : SP_OK;
  size_t n_done = 0;
  for (size_t i = 0; i < job->sweep->n_cells && is_there && !err; i++) {
    err = take_cell(job, &earlier, &job->sweep->cells[i], error);
    n_done += job->sweep->cells[i].state == SP_SWEEP_DONE;
  }
  SP_ASSERT(job->sweep->n_cells > 0); // an axis has values
  job->expected_ns -= job->expected_ns / (int64_t)job->sweep->n_cells * (int64_t)n_done;
  sp_sweep_done(&earlier);
  free(path);
  return err;
}

// --- Running ---

static size_t n_pending(const struct sp_sweep *sweep) {
  size_t n = 0;
  for (size_t i = 0; i < sweep->n_cells; i++) n += sweep->cells[i].state == SP_SWEEP_PENDING;
  return n;
}

static void write_span(int64_t ns, char *text, size_t n) {
  long long s = (long long)(ns / SP_NS_PER_S);
  if (s < 90)
    snprintf(text, n, "%lld s", s);
  else if (s < 5400)
    snprintf(text, n, "%lld min", (s + 30) / 60);
  else
    snprintf(text, n, "%lld h %lld min", s / 3600, s % 3600 / 60);
}

static void say_estimate(const struct job *job) {
  char span[32];
  size_t n = n_pending(job->sweep), n_cells = job->sweep->n_cells;
  if (job->plan->is_quiet) return;
  write_span(job->expected_ns, span, sizeof span);
  fprintf(stderr,
          "sweep: %zu cells, %zu to run, at most %zu pairs of %zu sides each: about %s; Ctrl-C any time, the "
          "same command "
          "with --out %s goes on\n",
          n_cells, n, job->plan->n_pairs, job->plan->n_sides, span, job->plan->dir);
}

// What cells have really taken says more than what they should take.
static void say_cell(const struct job *job, const struct sp_sweep_cell *cell) {
  char span[32];
  size_t n_left = n_pending(job->sweep), n_cells = job->sweep->n_cells;
  SP_ASSERT(n_left > 0); // this one
  int64_t each_ns = job->n_run ? job->spent_ns / (int64_t)job->n_run : job->expected_ns / (int64_t)n_left;
  if (job->plan->is_quiet) return;
  write_span(each_ns * (int64_t)n_left, span, sizeof span);
  fprintf(stderr, "cell %zu of %zu: %s (about %s left)\n", n_cells - n_left + 1, n_cells, cell->name, span);
}

static bool is_stopped(const struct job *job) {
  return job->plan->supervisor && job->plan->supervisor->signal;
}

static void run_cell(struct job *job, struct sp_sweep_cell *cell) {
  const struct sp_sweep_plan *plan = job->plan;
  struct sp_comparison *c = NULL;
  struct sp_error why = {0};
  struct cell loaded;
  int64_t start_ns = sp_now_ns();
  enum sp_err err = load_cell(job, cell, &loaded, &why);
  if (!err)
    err = plan->compare(plan->context, loaded.cli, loaded.scenario, loaded.argc, loaded.argv, &c, &why);
  if (!err)
    sp_sweep_cell_take(cell, c);
  else if (!is_stopped(job)) {
    cell->state = SP_SWEEP_FAILED;
    cell->error = sp_copy_text(why.text);
    cell->exit_code = sp_exit_code(err);
  }
  if (!plan->is_quiet && (cell->verdict || cell->error))
    fprintf(stderr, "cell %s: %s\n", cell->name, cell->error ? cell->error : cell->verdict);
  sp_comparison_free(c);
  cell_done(&loaded);
  job->n_run++;
  job->spent_ns += sp_now_ns() - start_ns;
}

static enum sp_err write_all(struct job *job, struct sp_error *error) {
  struct sp_text_stream map;
  char *path = sp_format("%s/" MAP_FILE, job->plan->dir);
  job->sweep->complete = n_pending(job->sweep) == 0;
  sp_crossover_write_markdown(job->sweep, sp_text_stream_open(&map));
  char *text = sp_text_stream_close(&map);
  enum sp_err err = sp_sweep_write(job->sweep, job->plan->dir, error);
  if (!err) err = sp_files_write(path, sp_bytes_of(text, map.n), error);
  free(text);
  free(path);
  return err;
}

// Of all cells at once, so it is made when the last one has been run.
static enum sp_err write_page(const struct sp_sweep_plan *plan, struct sp_error *error) {
  char *text = NULL, *title = sp_format("servepath compare --sweep %s", plan->scenario);
  char *path = sp_format("%s/" PAGE_FILE, plan->dir);
  enum sp_err err = sp_html_of_folder(title, plan->dir, &text, error);
  if (!err) err = sp_files_write(path, sp_bytes_of_text(text), error);
  free(text);
  free(path);
  free(title);
  return err;
}

static enum sp_err run_cells(struct job *job, struct sp_error *error) {
  struct sp_sweep *sweep = job->sweep;
  enum sp_err err = write_all(job, error);
  for (size_t i = 0; i < sweep->n_cells && !err && !is_stopped(job); i++) {
    struct sp_sweep_cell *cell = &sweep->cells[job->order[i]];
    if (cell->state == SP_SWEEP_DONE) continue;
    say_cell(job, cell);
    run_cell(job, cell);
    err = write_all(job, error);
  }
  return err ? err : write_page(job->plan, error);
}

enum sp_err sp_sweep_run(const struct sp_sweep_plan *plan, struct sp_sweep *sweep, struct sp_error *error) {
  struct job job = {.plan = plan, .sweep = sweep};
  int claim = -1;
  enum sp_err err = read_axes(&job, error);
  if (!err) describe(&job);
  if (!err) err = check_cells(&job, error);
  if (!err) err = take_earlier(&job, error);
  if (!err) err = sp_files_claim(plan->dir, &claim, error);
  if (!err) {
    job.order = sp_axes_order(sweep);
    say_estimate(&job);
    err = run_cells(&job, error);
  }
  for (size_t i = 0; i < sweep->n_axes; i++) free(job.flags[i]);
  free(job.flags);
  free(job.order);
  sp_files_release(claim);
  return err;
}

int sp_sweep_exit_code(const struct sp_sweep *sweep, int signal) {
  size_t n_done = 0, n_concluded = 0;
  bool differs = false;
  int failure = 0;
  if (signal) return 128 + signal;
  for (size_t i = 0; i < sweep->n_cells; i++) {
    const struct sp_sweep_cell *cell = &sweep->cells[i];
    if (cell->state == SP_SWEEP_FAILED && !failure) failure = cell->exit_code;
    n_done += cell->state == SP_SWEEP_DONE;
    differs |= cell->n_differing > 0;
    for (size_t k = 0; k < cell->n_figures; k++)
      n_concluded += cell->figures[k].verdict == SP_VERDICT_BETTER ||
                     cell->figures[k].verdict == SP_VERDICT_WORSE ||
                     cell->figures[k].verdict == SP_VERDICT_SAME;
  }
  if (n_done == 0) return failure ? failure : sp_exit_code(SP_ERR_ENVIRONMENT);
  if (differs) return sp_exit_code(SP_ERR_FAILED);
  return n_concluded ? 0 : sp_exit_code(SP_ERR_INCONCLUSIVE);
}
