// Answers across sides.
#include "decide/agreement.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trial/answers.h"

// Not those of noop or of a stub.
static bool has_predictions(const struct sp_side *side) {
  if (strcmp(side->path.path, "noop") == 0) return false;
  return side->app.command || strcmp(side->path.path, "rpc") != 0 || side->server.stub == SP_STUB_NONE;
}

static const char *digest_of(const struct sp_result *result) {
  return result ? sp_facts_text_of(&result->model, "digest", NULL) : NULL;
}

bool sp_is_one_model(const struct sp_scenario *scenario, const struct sp_side *a,
                     const struct sp_result *result_a, const struct sp_side *b,
                     const struct sp_result *result_b) {
  const char *one = digest_of(result_a), *other = digest_of(result_b);
  return sp_scenario_is_one_model(scenario, a, b) || (one && other && strcmp(one, other) == 0);
}

char *sp_agreement_file(const char *dir, const char *side) {
  return sp_format("%s/%s", dir, side);
}

// Takes the file away.
static bool take_answers(const struct sp_agreement_plan *plan, size_t side_i, struct sp_answers *answers) {
  struct sp_error ignored; // answers that were not kept (a driver that was killed) are compared with nothing
  *answers = (struct sp_answers){0};
  char *path = sp_agreement_file(plan->dir, plan->sides[side_i]->name);
  bool is_read = sp_answers_read(answers, path, &ignored) == SP_OK;
  remove(path);
  free(path);
  if (is_read && has_predictions(plan->sides[side_i])) return true;
  if (is_read) sp_answers_done(answers);
  return false;
}

static double difference_at(const struct sp_answers *a, const struct sp_answers *b, size_t event) {
  double largest = 0;
  for (size_t i = 0; i < a->n_values; i++) {
    double difference = fabs(a->values[event * a->n_values + i] - b->values[event * b->n_values + i]);
    if (difference > largest) largest = difference;
  }
  return largest;
}

static void add_example(struct sp_comparison *c, const char *side, const char *reference, size_t event,
                        double difference, bool is_refused) {
  if (c->predictions.n_examples == SP_RESULT_EXAMPLES) return;
  struct sp_prediction_example *example = &c->predictions.examples[c->predictions.n_examples++];
  example->event = event;
  if (is_refused)
    snprintf(example->text, sizeof example->text, "one of %.40s and %.40s refused it", side, reference);
  else
    snprintf(example->text, sizeof example->text, "%.40s and %.40s differ by %.3g", side, reference,
             difference);
}

static void compare_two(const struct sp_agreement_plan *plan, size_t side_i,
                        const struct sp_answers *reference, const struct sp_answers *answers,
                        struct sp_comparison *c) {
  if (answers->n_events != reference->n_events || answers->n_values != reference->n_values ||
      answers->are_labels != reference->are_labels)
    return; // a label beside a score: nothing that could be compared
  struct sp_agreement a = sp_answers_compare(reference, answers, plan->abs, plan->rel);
  c->predictions.compared += (int64_t)a.n_compared;
  c->predictions.differing += (int64_t)(a.n_compared - a.n_alike);
  if (a.n_compared && !(c->predictions.max_difference >= a.max_difference))
    c->predictions.max_difference = a.max_difference;
  size_t event = a.first_different;
  if (event == reference->n_events) return;
  add_example(c, plan->sides[side_i]->name, plan->sides[plan->reference_i]->name, event,
              difference_at(reference, answers, event),
              reference->answered[event] != answers->answered[event]);
}

void sp_agreement_add(const struct sp_agreement_plan *plan, struct sp_comparison *c) {
  struct sp_answers reference, answers;
  bool is_known = take_answers(plan, plan->reference_i, &reference);
  for (size_t i = 0; i < plan->n_sides; i++) {
    if (i == plan->reference_i || !take_answers(plan, i, &answers)) continue;
    bool is_alike = !plan->is_other_model || !plan->is_other_model[i];
    if (is_known && is_alike) compare_two(plan, i, &reference, &answers, c);
    sp_answers_done(&answers);
  }
  if (is_known) sp_answers_done(&reference);
}
