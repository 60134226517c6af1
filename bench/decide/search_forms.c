// A line a side for people, tables for a pull request.
#include "decide/search_forms.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "base/text_stream.h"
#include "base/units.h"
#include "decide/history.h"
#include "decide/search_json.h"
#include "os/files.h"
#include "report/escape.h"
#include "result/metric.h"

// "direct", or "direct or kafka" where sides differ in that.
static void ways_of(const struct sp_searches_plan *plan, char *text, size_t n) {
  size_t used = 0;
  text[0] = '\0';
  for (size_t i = 0; i < plan->n_sides && used < n; i++) {
    const char *way = sp_scenario_way(plan->scenario, plan->sides[i]);
    bool is_known = false;
    for (size_t k = 0; k < i; k++)
      is_known |= strcmp(sp_scenario_way(plan->scenario, plan->sides[k]), way) == 0;
    if (!is_known) used += (size_t)snprintf(text + used, n - used, "%s%s", used ? " or " : "", way);
  }
}

// What was asked of every side: "poisson, direct, p99 <= 10ms, not ok <= 0.1%, trials of >= 10s and >= 20,000 events".
static char *heading(const struct sp_searches_plan *plan) {
  const struct sp_search_options *options = &plan->options;
  struct sp_search_slo slo;
  char ways[256], bounds[160], least[SP_UNITS_TEXT_BYTES], precision[SP_UNITS_TEXT_BYTES];
  int64_t least_ns = options->probe_ns ? options->probe_ns : SP_SEARCH_PROBE_NS;
  bool is_short = least_ns < SP_SEARCH_PROBE_NS;
  ways_of(plan, ways, sizeof ways);
  sp_search_slo_of(&plan->scenario->expect, plan->sides[0], &slo);
  sp_units_write_duration(least_ns, least, sizeof least);
  return sp_format(
      "%s, %s, %s, trials of %s%s, bracket within %s", sp_arrival_name(plan->scenario->load.arrival),
      plan->scenario->stream.transport == SP_TRANSPORT_KAFKA ? plan->scenario->stream.broker : "direct",
      sp_search_slo_text(&slo, bounds, sizeof bounds), least,
      is_short ? " (short probes)" : " and 20,000 events at least",
      sp_units_print_share(options->precision, precision, sizeof precision));
}

static void add_note(char **notes, char *note) {
  char *longer = *notes ? sp_format("%s; %s", *notes, note) : sp_copy_text(note);
  free(*notes);
  free(note);
  *notes = longer;
}

// What a reader must know beside the bracket; from malloc.
static char *notes_of(const struct sp_side_search *side) {
  char *notes = NULL, low[SP_UNITS_TEXT_BYTES], high[SP_UNITS_TEXT_BYTES];
  const struct sp_search *search = &side->search;
  int64_t n_wrong = 0;
  for (size_t i = 0; i < side->n_probed; i++) n_wrong += side->probed[i].mismatched;
  if (*side->co_located) add_note(&notes, sp_format("co-located (%s)", side->co_located));
  if (side->is_stub) add_note(&notes, sp_copy_text("stub server"));
  if (side->is_emulated) add_note(&notes, sp_copy_text("emulated network delay"));
  if (side->is_short) add_note(&notes, sp_copy_text("short probes"));
  if (side->is_capped)
    add_note(&notes, sp_format("low rates had trials of %lld s, with fewer than 20,000 events",
                               (long long)(SP_SEARCH_LONGEST_NS / SP_NS_PER_S)));
  if (search->n_stepped_down && search->low_per_s > 0)
    add_note(
        &notes,
        sp_format("stepped down %u time%s to %s/s: what had passed did not pass a fresh trial, last at %s/s",
                  search->n_stepped_down, search->n_stepped_down > 1 ? "s" : "",
                  sp_units_print_rate(search->low_per_s, low, sizeof low),
                  sp_units_print_rate(search->high_per_s, high, sizeof high)));
  if (n_wrong) add_note(&notes, sp_format("%lld WRONG predictions", (long long)n_wrong));
  add_note(&notes, sp_format("%zu trials", side->n_probed));
  return notes;
}

static char *cost_of(const struct sp_side_search *side) {
  return isnan(side->cpu_s_per_million) ? sp_copy_text("-") : sp_format("%.3g", side->cpu_s_per_million);
}

static char *printable_bracket(const struct sp_side_search *side) {
  char text[SP_SEARCH_TEXT_BYTES];
  return sp_printable_text(sp_search_text(&side->search, text, sizeof text));
}

static void print_side(const struct sp_side_search *side, FILE *to) {
  char *name = sp_printable_text(side->side->name), *bracket = printable_bracket(side);
  char *notes = notes_of(side), *cost = cost_of(side);
  fprintf(to, "%-12s sustainable %s\n%-12s %s CPU-s per million events at this rate; %s\n", name, bracket, "",
          cost, notes);
  free(name);
  free(bracket);
  free(notes);
  free(cost);
}

void sp_searches_print(const struct sp_searches_plan *plan, const struct sp_searches *searches, FILE *to) {
  char *asked = heading(plan), *text = sp_printable_text(asked);
  char *name = sp_printable_text(plan->scenario->name);
  fprintf(to, "%s, %s\n", name, text);
  for (size_t i = 0; i < searches->n_sides; i++) print_side(&searches->sides[i], to);
  if (searches->incomplete) {
    char *why = sp_printable_text(searches->incomplete);
    fprintf(to, "INCOMPLETE   %s\n", why);
    free(why);
  }
  free(asked);
  free(text);
  free(name);
}

// --- Markdown ---

static void print_cells(FILE *to, const char *const *cells, size_t n) {
  fputc('|', to);
  for (size_t i = 0; i < n; i++) {
    fputc(' ', to);
    sp_markdown_text(to, cells[i]);
    fputs(" |", to);
  }
  fputc('\n', to);
}

static void print_row(const struct sp_side_search *side, FILE *to) {
  char *bracket = printable_bracket(side), *notes = notes_of(side), *cost = cost_of(side);
  print_cells(to, (const char *const[]){side->side->name, bracket, cost, notes}, 4);
  free(bracket);
  free(notes);
  free(cost);
}

static void print_trial(const struct sp_search_probed *probed, FILE *to) {
  char rate[SP_UNITS_TEXT_BYTES], p99[SP_UNITS_TEXT_BYTES], length[SP_UNITS_TEXT_BYTES];
  print_cells(to,
              (const char *const[]){
                  sp_units_print_rate(probed->rate_per_s, rate, sizeof rate),
                  sp_search_phase_name(probed->phase), sp_probe_verdict_name(probed->outcome.verdict),
                  probed->outcome.reason, sp_units_print_duration(probed->p99_ns, p99, sizeof p99),
                  sp_units_write_duration(probed->duration_ns, length, sizeof length), probed->dir},
              7);
}

static void print_trials(const struct sp_side_search *side, FILE *to) {
  fputs("\n<details><summary>Trials of ", to);
  sp_markdown_text(to, side->side->name);
  fputs("</summary>\n\n| rate/s | phase | verdict | why | p99 | window | folder "
        "|\n|---|---|---|---|---|---|---|\n",
        to);
  for (size_t i = 0; i < side->n_probed; i++) print_trial(&side->probed[i], to);
  fputs("\n</details>\n", to);
}

char *sp_searches_markdown(const struct sp_searches_plan *plan, const struct sp_searches *searches) {
  char *asked = heading(plan);
  struct sp_text_stream stream;
  FILE *to = sp_text_stream_open(&stream);
  fputs("**Sustainable rate of ", to);
  sp_markdown_text(to, plan->scenario->name);
  fputs("**: ", to);
  sp_markdown_text(to, asked);
  fputs("\n\n", to);
  if (searches->incomplete) {
    fputs("**Incomplete**: ", to);
    sp_markdown_text(to, searches->incomplete);
    fputs("\n\n", to);
  }
  fputs("| side | sustainable | CPU-s per million events | |\n|---|---|---|---|\n", to);
  for (size_t i = 0; i < searches->n_sides; i++) print_row(&searches->sides[i], to);
  for (size_t i = 0; i < searches->n_sides; i++) print_trials(&searches->sides[i], to);
  free(asked);
  return sp_text_stream_close(&stream);
}

enum sp_err sp_searches_write(const struct sp_searches_plan *plan, const struct sp_searches *searches,
                              struct sp_error *error) {
  char *json_path = sp_format("%s/%s", plan->out_dir, SP_SEARCH_FILE);
  char *report_path = sp_format("%s/report.md", plan->out_dir);
  char *json = sp_searches_json(plan, searches), *markdown = sp_searches_markdown(plan, searches);
  enum sp_err err = sp_files_write(json_path, sp_bytes_of_text(json), error);
  if (!err) err = sp_files_write(report_path, sp_bytes_of_text(markdown), error);
  free(json_path);
  free(report_path);
  free(json);
  free(markdown);
  return err;
}

// --- History ---

static void add_line(const struct sp_searches *searches, const struct sp_side_search *side,
                     const struct sp_cli *cli, struct sp_history *history) {
  const struct sp_result *first = side->first;
  struct sp_history_line *line = sp_history_line(history);
  char digest[SP_DIGEST_TEXT_BYTES];
  sp_load_digest(&first->recording, &first->broker, &first->load, digest);
  line->at = sp_copy_text(searches->started_at);
  line->id = sp_copy_text(first->run_id);
  line->verb = sp_copy_text("search");
  line->case_name = sp_copy_text(sp_facts_text_of(&first->scenario, "name", "-"));
  line->side = sp_copy_text(side->side->name);
  line->fingerprint = sp_machine_fingerprint(first);
  line->load_digest = sp_copy_text(digest);
  line->build = sp_copy_text(sp_facts_text_of(&first->build, "version", NULL));
  line->n_trials = (int64_t)side->n_probed;
  for (size_t i = 0; i < cli->tags.n; i++)
    sp_facts_text(&line->tags, cli->tags.items[i].name, cli->tags.items[i].value);
  sp_facts_real(&line->metrics, "sustainable", side->search.low_per_s);
  if (!isnan(side->cpu_s_per_million))
    sp_facts_real(&line->metrics, "cpu_per_event", side->cpu_s_per_million);
}

// The same figure twice would pass for two measurements.
static bool is_news(const struct sp_searches *searches, const struct sp_side_search *side) {
  bool has_new = !searches->had_ended;
  for (size_t i = 0; i < side->n_probed; i++) has_new |= !side->probed[i].was_found;
  return has_new;
}

enum sp_err sp_searches_note(const struct sp_searches *searches, const struct sp_cli *cli, const char *file,
                             struct sp_error *error) {
  struct sp_history history = {0};
  for (size_t i = 0; i < searches->n_sides; i++) {
    const struct sp_side_search *side = &searches->sides[i];
    // "At least so much" is the driver's figure of that day: among others it would read as a change of the system.
    bool is_figure = side->search.verdict == SP_SEARCH_BRACKET && side->first;
    if (is_figure && is_news(searches, side)) add_line(searches, side, cli, &history);
  }
  enum sp_err err = sp_history_add(file, &history, error);
  sp_history_done(&history);
  return err;
}
