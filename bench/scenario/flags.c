// Options made from the tables.
#include "scenario/flags.h"

#include <stdlib.h>
#include <string.h>

#include "scenario/setting.h"

static const struct common {
  unsigned takes; // 0: every verb
  struct sp_option option;
} common[] = {
    {SP_CLI_SIDE,
     {"--side", 0, "NAME[,KEY=VALUE...]", NULL, "a side, with its own values; a new one names its path"}},
    {SP_CLI_PAIRS,
     {"--pairs", 0, "N", NULL, "pairs of trials at most; looks at 12, 18 and 24 (times --mean-of)"}},
    {SP_CLI_OUT, {"--out", 0, "DIR", NULL, "folder that gets the result"}},
    {SP_CLI_OUT, {"--tag", 0, "NAME=VALUE", NULL, "a note kept in the result; may be repeated"}},
    {SP_CLI_RAW, {"--raw", 0, NULL, NULL, "keep a row for every event"}},
    {SP_CLI_EXPORT, {"--json", 0, NULL, NULL, "the result as JSON on stdout, in place of the table"}},
    {SP_CLI_EXPORT, {"--export-json", 0, "FILE", NULL, "the result as JSON"}},
    {SP_CLI_EXPORT, {"--export-markdown", 0, "FILE", NULL, "the table as Markdown"}},
    {0, {"--overlay", 0, "FILE", NULL, "YAML laid over the scenario; may be repeated"}},
    {0, {"--set", 0, "KEY=VALUE", NULL, "any key, as in --set load.rate=2000/s; may be repeated"}},
    {0,
     {"--property", 'X', "NAME=VALUE", NULL,
      "a librdkafka property; producer:NAME or consumer:NAME sets one of them"}},
    {0, {"--quiet", 'q', NULL, NULL, "no progress on stderr"}},
};

const char *sp_kind_form(enum sp_kind kind) {
  switch (kind) {
  case SP_KIND_TEXT:
  case SP_KIND_RAW: return "TEXT";
  case SP_KIND_PATH: return "FILE";
  case SP_KIND_SECRET: return "@FILE|$NAME";
  case SP_KIND_BOOL: return "true|false";
  case SP_KIND_COUNT: return "N";
  case SP_KIND_REAL: return "NUMBER";
  case SP_KIND_DURATION: return "TIME";
  case SP_KIND_RATE: return "RATE";
  case SP_KIND_SIZE: return "SIZE";
  case SP_KIND_SHARE: return "SHARE";
  case SP_KIND_CHOICE: return "WORD";
  case SP_KIND_TEXTS: return "[TEXT,...]";
  case SP_KIND_COUNTS: return "[N,...]";
  case SP_KIND_PROPERTIES: return "{NAME: VALUE}";
  case SP_KIND_TABLE:
  case SP_KIND_INLINE: return "{KEY: VALUE}";
  case SP_KIND_LIST: return "[...]";
  case SP_KIND_NAMED: return "{NAME: {...}}";
  }
  sp_panic(__FILE__, __LINE__, "a known kind");
}

static void add(struct sp_flags *flags, struct sp_option option, const char *key,
                const struct sp_key *declared) {
  size_t n = flags->n + 1;
  flags->options = sp_realloc(flags->options, (n + 1) * sizeof *flags->options);
  flags->keys = sp_realloc(flags->keys, n * sizeof *flags->keys);
  flags->declared = sp_realloc(flags->declared, n * sizeof(void *));
  flags->options[flags->n] = option;
  flags->options[n] = (struct sp_option){0};
  flags->keys[flags->n] = sp_copy_text(key);
  flags->declared[flags->n] = declared;
  flags->n = n;
}

// A verb may use a key's flag for something of its own; the key is then set with --set.
static bool is_taken(const struct sp_flags *flags, const char *flag) {
  for (size_t i = 0; i < flags->n_before_keys; i++) {
    if (strcmp(flags->options[i].flag, flag) == 0) return true;
  }
  return false;
}

static void add_key(void *context, const struct sp_key *key, const char *path) {
  if (!key->flag || is_taken(context, key->flag)) return;
  const char *form = key->kind == SP_KIND_BOOL ? NULL : sp_kind_form(key->kind);
  char letter = strcmp(key->flag, "--broker") == 0 ? 'b' : 0; // as in kcat
  add(context, (struct sp_option){key->flag, letter, form, key->standard, key->help}, path, key);
}

void sp_flags_init(struct sp_flags *flags, const struct sp_cli_verb *verb) {
  *flags = (struct sp_flags){0};
  for (const struct sp_option *option = verb->options; option && option->flag; option++)
    add(flags, *option, NULL, NULL);
  for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
    if (!common[i].takes || (common[i].takes & verb->takes)) add(flags, common[i].option, NULL, NULL);
  }
  flags->n_before_keys = flags->n;
  sp_keys_each(&sp_scenario_table, add_key, flags);
}

void sp_flags_done(struct sp_flags *flags) {
  for (size_t i = 0; i < flags->n; i++) free(flags->keys[i]);
  free(flags->keys);
  free(flags->declared);
  free(flags->options);
}
