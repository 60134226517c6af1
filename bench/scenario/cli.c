// Arguments -> what was asked for -> the scenario.
#include "scenario/cli.h"

#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/units.h"
#include "scenario/bind.h"
#include "scenario/flags.h"
#include "scenario/load.h"

// What the public struct borrows from: freed with it.
struct cli {
  struct sp_cli cli; // first
  struct sp_flags flags;
  char **texts; // keys and values of settings that are not parts of argv
  size_t n_texts;
};

// --- Keeping ---

#define GROW(items, n) ((items) = sp_realloc((items), ((n) + 1) * sizeof *(items)))

static char *keep(struct cli *own, char *text) {
  GROW(own->texts, own->n_texts);
  return own->texts[own->n_texts++] = text;
}

static void add_setting(struct cli *own, const char *key, const char *value, const char *origin) {
  GROW(own->cli.settings, own->cli.n_settings);
  own->cli.settings[own->cli.n_settings++] = (struct sp_setting){key, value, origin};
}

// KEY=VALUE split at the first '='; both kept.
static enum sp_err split(struct cli *own, const char *flag, const char *text, const char *example,
                         char **name, char **value, struct sp_error *error) {
  const char *equals = strchr(text, '=');
  *name = *value = NULL;
  if (!equals || equals == text)
    return sp_fail(error, SP_ERR_USAGE, "%s: \"%.60s\" is not KEY=VALUE; write for example %s %s", flag, text,
                   flag, example);
  *name = keep(own, sp_format("%.*s", (int)(equals - text), text));
  *value = keep(own, sp_copy_text(equals + 1));
  return SP_OK;
}

// --- --side NAME,key=value,key="a,b" ---

// Cuts the next part off *text at a comma that stands in no quotes or brackets, in place; quotes around a value go.
static char *next_part(char **text) {
  if (!*text) return NULL;
  char *part = *text, *to = part, *at = part;
  int depth = 0;
  bool is_quoted = false;
  for (; *at && (*at != ',' || depth > 0 || is_quoted); at++) {
    if (*at == '"') {
      is_quoted = !is_quoted;
      continue;
    }
    depth += (*at == '[' || *at == '{') - (*at == ']' || *at == '}');
    *to++ = *at;
  }
  *text = *at ? at + 1 : NULL;
  *to = '\0';
  return part;
}

static enum sp_err add_side_key(struct cli *own, struct sp_cli_side *side, const char *part,
                                struct sp_error *error) {
  char *name, *value;
  enum sp_err err = split(own, "--side", part, "rpc,threads=2", &name, &value, error);
  if (err) return err;
  GROW(side->keys, side->n_keys);
  char *key = keep(own, sp_format("sides.%s.%s", side->name, name));
  side->keys[side->n_keys++] = (struct sp_setting){key, value, "--side"};
  return SP_OK;
}

static enum sp_err add_side(struct cli *own, const char *text, struct sp_error *error) {
  char *rest = keep(own, sp_copy_text(text));
  const char *name = next_part(&rest);
  if (!sp_name_is_plain(name))
    return sp_fail(error, SP_ERR_USAGE, "--side: \"%.60s\" is no name; write letters, digits, - and _", name);
  for (size_t i = 0; i < own->cli.n_sides; i++) {
    if (strcmp(own->cli.sides[i].name, name) == 0)
      return sp_fail(error, SP_ERR_USAGE, "--side %s stands here twice; give the second a name of its own",
                     name);
  }
  GROW(own->cli.sides, own->cli.n_sides);
  struct sp_cli_side *side = &own->cli.sides[own->cli.n_sides++];
  *side = (struct sp_cli_side){sp_copy_text(name), NULL, 0};
  enum sp_err err = SP_OK;
  for (const char *part; !err && (part = next_part(&rest));) err = add_side_key(own, side, part, error);
  return err;
}

// --- The other options ---

static enum sp_err add_set(struct cli *own, const char *text, struct sp_error *error) {
  char *key, *value;
  enum sp_err err = split(own, "--set", text, "load.rate=2000/s", &key, &value, error);
  if (!err) add_setting(own, key, value, "--set");
  return err;
}

// Without a prefix it holds for producers and consumers, as in kcat.
static enum sp_err add_property(struct cli *own, const char *text, struct sp_error *error) {
  bool is_producer = strncmp(text, "producer:", 9) == 0, is_consumer = strncmp(text, "consumer:", 9) == 0;
  char *name, *value;
  enum sp_err err =
      split(own, "-X", is_producer || is_consumer ? text + 9 : text, "linger.ms=0", &name, &value, error);
  if (err) return err;
  if (!is_consumer) add_setting(own, keep(own, sp_format("kafka.producer.%s", name)), value, "-X");
  if (!is_producer) add_setting(own, keep(own, sp_format("kafka.consumer.%s", name)), value, "-X");
  return SP_OK;
}

static enum sp_err add_tag(struct cli *own, const char *text, struct sp_error *error) {
  struct sp_properties *tags = &own->cli.tags;
  struct sp_property tag;
  enum sp_err err = split(own, "--tag", text, "branch=main", &tag.name, &tag.value, error);
  if (err) return err;
  GROW(tags->items, tags->n);
  tags->items[tags->n++] = tag;
  return SP_OK;
}

static enum sp_err set_pairs(struct cli *own, const char *text, struct sp_error *error) {
  struct sp_error what;
  enum sp_err err = sp_units_parse_count(text, &own->cli.pairs, &what);
  if (err) return sp_fail(error, err, "--pairs: %s", what.text);
  return own->cli.pairs ? SP_OK : sp_fail(error, SP_ERR_USAGE, "--pairs: must be at least 1");
}

static enum sp_err take_common(struct cli *own, const char *flag, const char *value, struct sp_error *error) {
  struct sp_cli *cli = &own->cli;
  if (strcmp(flag, "--side") == 0) return add_side(own, value, error);
  if (strcmp(flag, "--set") == 0) return add_set(own, value, error);
  if (strcmp(flag, "--property") == 0) return add_property(own, value, error);
  if (strcmp(flag, "--tag") == 0) return add_tag(own, value, error);
  if (strcmp(flag, "--pairs") == 0) return set_pairs(own, value, error);
  if (strcmp(flag, "--overlay") == 0) {
    GROW(cli->overlays, cli->n_overlays);
    cli->overlays[cli->n_overlays++] = value;
  }
  if (strcmp(flag, "--out") == 0) cli->out_dir = value;
  if (strcmp(flag, "--raw") == 0) cli->raw = true;
  if (strcmp(flag, "--json") == 0) cli->json = true;
  if (strcmp(flag, "--quiet") == 0) cli->quiet = true;
  if (strcmp(flag, "--export-json") == 0) cli->export_json = value;
  if (strcmp(flag, "--export-markdown") == 0) cli->export_markdown = value;
  return SP_OK;
}

static bool is_own(const struct sp_cli_verb *verb, const char *flag) {
  for (const struct sp_option *option = verb->options; option && option->flag; option++) {
    if (strcmp(option->flag, flag) == 0) return true;
  }
  return false;
}

static enum sp_err take_option(struct cli *own, const struct sp_option *option, const char *value,
                               struct sp_error *error) {
  size_t i = (size_t)(option - own->flags.options);
  if (own->flags.keys[i]) {
    add_setting(own, own->flags.keys[i], option->value ? value : "true", option->flag);
    return SP_OK;
  }
  if (!is_own(own->cli.verb, option->flag)) return take_common(own, option->flag, value, error);
  own->cli.given = sp_realloc(own->cli.given, (own->cli.n_given + 1) * sizeof(void *));
  GROW(own->cli.given_values, own->cli.n_given);
  own->cli.given[own->cli.n_given] = option;
  own->cli.given_values[own->cli.n_given++] = value;
  return SP_OK;
}

static enum sp_err take_operand(struct cli *own, struct sp_args *args, const char *value,
                                struct sp_error *error) {
  const struct sp_cli_verb *verb = own->cli.verb;
  if (args->operands_only && (verb->takes & SP_CLI_COMMAND)) {
    own->cli.command = &args->argv[args->next_i - 1]; // up to the NULL that ends argv
    args->next_i = args->argc;
    return SP_OK;
  }
  if (own->cli.scenario)
    return sp_fail(error, SP_ERR_USAGE, "%.60s is too much: the scenario is %.200s already", value,
                   own->cli.scenario);
  own->cli.scenario = value;
  return SP_OK;
}

static enum sp_err parse(struct cli *own, int argc, char **argv, struct sp_error *error) {
  struct sp_args args = sp_args_of(own->cli.verb->name, argc, argv, own->flags.options);
  const struct sp_option *option;
  const char *value;
  enum sp_err err = SP_OK;
  while (!err) {
    switch (sp_args_next(&args, &option, &value, error)) {
    case SP_ARG_END:
      return own->cli.scenario ? SP_OK
                               : sp_fail(error, SP_ERR_USAGE,
                                         "needs a SCENARIO: a folder or a YAML file, as in "
                                         "servepath %s fixtures/fraud",
                                         own->cli.verb->name);
    case SP_ARG_HELP: own->cli.help = true; return SP_OK;
    case SP_ARG_ERROR: return SP_ERR_USAGE;
    case SP_ARG_OPTION: err = take_option(own, option, value, error); break;
    case SP_ARG_OPERAND: err = take_operand(own, &args, value, error); break;
    }
  }
  return err;
}

enum sp_err sp_cli_parse(const struct sp_cli_verb *verb, int argc, char **argv, struct sp_cli **cli,
                         struct sp_error *error) {
  struct cli *own = sp_alloc(sizeof *own);
  own->cli.verb = verb;
  sp_flags_init(&own->flags, verb);
  enum sp_err err = parse(own, argc, argv, error);
  if (err) {
    sp_cli_free(&own->cli);
    own = NULL;
  }
  *cli = (struct sp_cli *)own;
  return err;
}

void sp_cli_free(struct sp_cli *cli) {
  if (!cli) return;
  struct cli *own = (struct cli *)cli;
  for (size_t i = 0; i < own->n_texts; i++) free(own->texts[i]);
  for (size_t i = 0; i < cli->n_sides; i++) {
    free(cli->sides[i].name);
    free(cli->sides[i].keys);
  }
  sp_flags_done(&own->flags);
  free(own->texts);
  free(cli->sides);
  free(cli->overlays);
  free(cli->settings);
  free(cli->tags.items);
  free(cli->given);
  free(cli->given_values);
  free(own);
}

const char *sp_cli_value(const struct sp_cli *cli, const char *flag) {
  const char *value = NULL;
  for (size_t i = 0; i < cli->n_given; i++) {
    if (strcmp(cli->given[i]->flag, flag) == 0) value = cli->given_values[i];
  }
  return value;
}

// --- Loading ---

// The key that makes a side of a name that the scenario lacks; NULL where none names a path.
static char *new_side_key(const struct sp_cli_side *side) {
  char *path_key = sp_format("sides.%s.path", side->name);
  bool names_path = false;
  for (size_t i = 0; i < side->n_keys; i++) names_path |= strcmp(side->keys[i].key, path_key) == 0;
  free(path_key);
  return names_path ? sp_format("sides.%s", side->name) : NULL;
}

struct ordered {
  struct sp_setting *items;
  size_t n;
  char **new_keys; // borrowed by items
  size_t n_new;
};

static void append(struct ordered *ordered, const struct sp_setting *settings, size_t n) {
  for (size_t i = 0; i < n; i++) {
    GROW(ordered->items, ordered->n);
    ordered->items[ordered->n++] = settings[i];
  }
}

// New sides, then flags (which hold for them too), then the keys of each --side.
static struct ordered order_settings(const struct sp_cli *cli) {
  struct ordered ordered = {0};
  for (size_t i = 0; i < cli->n_sides; i++) {
    char *key = new_side_key(&cli->sides[i]);
    if (!key) continue;
    GROW(ordered.new_keys, ordered.n_new);
    ordered.new_keys[ordered.n_new++] = key;
    append(&ordered, &(struct sp_setting){key, "{}", "--side"}, 1);
  }
  append(&ordered, cli->settings, cli->n_settings);
  for (size_t i = 0; i < cli->n_sides; i++) append(&ordered, cli->sides[i].keys, cli->sides[i].n_keys);
  return ordered;
}

static void ordered_done(struct ordered *ordered) {
  for (size_t i = 0; i < ordered->n_new; i++) free(ordered->new_keys[i]);
  free(ordered->new_keys);
  free(ordered->items);
}

static enum sp_err refuse_unknown_side(const struct sp_scenario *scenario, const char *name,
                                       struct sp_error *error) {
  const struct sp_side *sides = scenario->sides.items;
  const char *names[64];
  char suggestion[256];
  size_t n = 0;
  for (; n < scenario->sides.n && n < 64; n++) names[n] = sides[n].name;
  return sp_fail(error, SP_ERR_USAGE,
                 "--side: the scenario has no %s; %s (a new side names its path: %s,path=rpc)", name,
                 sp_names_suggest(name, names, n, suggestion, sizeof suggestion), name);
}

enum sp_err sp_cli_load(const struct sp_cli *cli, struct sp_scenario **scenario, struct sp_error *error) {
  SP_ASSERT(cli->scenario);
  struct ordered settings = order_settings(cli);
  const char **measured = sp_alloc(cli->n_sides * sizeof *measured);
  for (size_t i = 0; i < cli->n_sides; i++) measured[i] = cli->sides[i].name;
  const struct sp_load_request request = {cli->scenario, cli->overlays, cli->n_overlays, settings.items,
                                          settings.n,    measured,      cli->n_sides};
  enum sp_err err = sp_scenario_load_for(&request, scenario, error);
  for (size_t i = 0; i < cli->n_sides && !err; i++) {
    if (!sp_scenario_side(*scenario, measured[i])) err = refuse_unknown_side(*scenario, measured[i], error);
  }
  if (err && *scenario) {
    sp_scenario_free(*scenario);
    *scenario = NULL;
  }
  ordered_done(&settings);
  free(measured);
  return err;
}
