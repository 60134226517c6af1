// Lists of arguments.
#include "trial/arguments.h"

#include <stdlib.h>
#include <string.h>

void sp_arguments_add(struct sp_arguments *arguments, char *owned) {
  arguments->items = sp_realloc(arguments->items, (arguments->n + 2) * sizeof *arguments->items);
  arguments->items[arguments->n++] = owned;
  arguments->items[arguments->n] = NULL;
}

void sp_arguments_word(struct sp_arguments *arguments, const char *word) {
  sp_arguments_add(arguments, sp_copy_text(word));
}

void sp_arguments_pair(struct sp_arguments *arguments, const char *flag, const char *value) {
  if (!value) return;
  sp_arguments_word(arguments, flag);
  sp_arguments_word(arguments, value);
}

void sp_arguments_count(struct sp_arguments *arguments, const char *flag, long long count) {
  sp_arguments_word(arguments, flag);
  sp_arguments_add(arguments, sp_format("%lld", count));
}

void sp_arguments_verb(struct sp_arguments *arguments, const char *verb) {
  sp_arguments_word(arguments, sp_process_self());
  sp_arguments_word(arguments, verb);
}

// --rpc-delay stays a flag, which means those sides that call a server, where --set would mean each.
static void add_settings(struct sp_arguments *arguments, const struct sp_setting *settings, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (strcmp(settings[i].origin, "--rpc-delay") == 0) {
      sp_arguments_pair(arguments, "--rpc-delay", settings[i].value);
      continue;
    }
    sp_arguments_word(arguments, "--set");
    sp_arguments_add(arguments, sp_format("%s=%s", settings[i].key, settings[i].value));
  }
}

void sp_arguments_layers(struct sp_arguments *arguments, const struct sp_cli *cli) {
  for (size_t i = 0; i < cli->n_overlays; i++) sp_arguments_pair(arguments, "--overlay", cli->overlays[i]);
  add_settings(arguments, cli->settings, cli->n_settings);
}

void sp_arguments_scenario(struct sp_arguments *arguments, const struct sp_trial_plan *plan) {
  sp_arguments_word(arguments, plan->cli->scenario);
  sp_arguments_layers(arguments, plan->cli);
  add_settings(arguments, plan->settings, plan->n_settings);
}

// TEXT,key=value, in quotes where a comma in the value would end it. Frees the text.
static char *with_key(char *text, const char *key, const char *value) {
  const char *quote = strchr(value, ',') ? "\"" : "";
  char *longer = sp_format("%s,%s=%s%s%s", text, key, quote, value, quote);
  free(text);
  return longer;
}

// NAME,key=value,key=value
static char *side_text(const struct sp_cli_side *side) {
  char *text = sp_copy_text(side->name);
  size_t skip = strlen("sides.") + strlen(side->name) + 1;
  for (size_t k = 0; k < side->n_keys; k++)
    text = with_key(text, side->keys[k].key + skip, side->keys[k].value);
  return text;
}

void sp_arguments_sides(struct sp_arguments *arguments, const struct sp_trial_plan *plan, bool only_own) {
  bool is_named = false;
  for (size_t i = 0; i < plan->cli->n_sides; i++) {
    bool is_own = strcmp(plan->cli->sides[i].name, plan->side->name) == 0;
    is_named |= is_own;
    if (only_own && !is_own) continue;
    sp_arguments_word(arguments, "--side");
    sp_arguments_add(arguments, side_text(&plan->cli->sides[i]));
  }
  if (!is_named) sp_arguments_pair(arguments, "--side", plan->side->name);
}

char *sp_arguments_side(const struct sp_cli *cli, const struct sp_side *side, const char *broker) {
  char *text = NULL;
  for (size_t i = 0; i < cli->n_sides && !text; i++) {
    if (strcmp(cli->sides[i].name, side->name) == 0) text = side_text(&cli->sides[i]);
  }
  if (!text) text = sp_copy_text(side->name);
  return with_key(with_key(text, "transport", "kafka"), "broker", broker);
}

void sp_arguments_done(struct sp_arguments *arguments) {
  for (size_t i = 0; i < arguments->n; i++) free(arguments->items[i]);
  free(arguments->items);
  *arguments = (struct sp_arguments){0};
}
