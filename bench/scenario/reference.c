// The reference page: every table of keys, then the options that are no keys, common ones and each verb's own.
#include "scenario/reference.h"

#include <string.h>

#include "scenario/flags.h"

static const struct sp_cli_verb any_verb = {"VERB", "SCENARIO", "", SP_CLI_TAKEN, NULL, NULL};

static void print_escaped(FILE *to, const char *text) {
  for (; *text; text++) {
    if (*text == '|') fputc('\\', to);
    fputc(*text, to);
  }
}

static void print_key(FILE *to, const struct sp_key *key) {
  fprintf(to, "| `%s` | `", key->name);
  if (key->kind == SP_KIND_CHOICE)
    fputs(key->choices, to);
  else
    print_escaped(to, sp_kind_form(key->kind));
  fprintf(to, "` | %s%s%s | %s%s%s | ", key->standard ? "`" : "", key->standard ? key->standard : "",
          key->standard ? "`" : "", key->flag ? "`" : "", key->flag ? key->flag : "", key->flag ? "`" : "");
  print_escaped(to, key->help);
  fputs(" |\n", to);
}

static void print_keys(FILE *to, const struct sp_table *table) {
  for (const struct sp_key *key = table->keys; key->name; key++) {
    if (key->kind == SP_KIND_INLINE)
      print_keys(to, key->table);
    else
      print_key(to, key);
  }
}

static void print_tables_below(FILE *to, const struct sp_table *table, const char *path);

static void print_table(FILE *to, const struct sp_table *table, const char *path) {
  fprintf(to, "\n## %s\n\n", *path ? path : "The scenario");
  if (table->shorthand) fprintf(to, "One word stands for `{%s: WORD}`.\n\n", table->shorthand);
  fputs("| key | written as | default | flag | |\n|---|---|---|---|---|\n", to);
  print_keys(to, table);
  print_tables_below(to, table, path);
}

static void print_tables_below(FILE *to, const struct sp_table *table, const char *path) {
  for (const struct sp_key *key = table->keys; key->name; key++) {
    char below[128];
    if (!key->table) continue;
    if (key->kind == SP_KIND_INLINE) {
      print_tables_below(to, key->table, path);
      continue;
    }
    snprintf(below, sizeof below, "%s%s%s%s", path, *path ? "." : "", key->name,
             key->kind == SP_KIND_LIST    ? "[]"
             : key->kind == SP_KIND_NAMED ? ".NAME"
                                          : "");
    print_table(to, key->table, below);
  }
}

static void print_option(FILE *to, const struct sp_option *option) {
  fputs("| `", to);
  if (option->letter) fprintf(to, "-%c`, `", option->letter);
  fputs(option->flag, to);
  if (option->value) fputc(' ', to);
  print_escaped(to, option->value ? option->value : "");
  fputs("` | ", to);
  print_escaped(to, option->standard ? option->standard : "");
  fputs(" | ", to);
  print_escaped(to, option->help);
  fputs(" |\n", to);
}

static void print_options(FILE *to, const struct sp_option *options) {
  fputs("\n| option | default | |\n|---|---|---|\n", to);
  for (; options->flag; options++) print_option(to, options);
}

static size_t count_options(const struct sp_option *options) {
  size_t n = 0;
  while (options && options[n].flag) n++;
  return n;
}

static void print_common(FILE *to) {
  struct sp_flags flags;
  sp_flags_init(&flags, &any_verb);
  flags.options[flags.n_before_keys] = (struct sp_option){0};
  fputs("\n## Options that are no keys\n\nVerbs that take a scenario take those that mean something to "
        "them; which ones, each verb says below.\n",
        to);
  print_options(to, flags.options);
  sp_flags_done(&flags);
}

// The common options that the verb takes come behind its own.
static void print_taken(FILE *to, const struct sp_cli_verb *verb) {
  struct sp_flags flags;
  sp_flags_init(&flags, verb);
  fputs("\nTakes a scenario, the flags of its keys,", to);
  for (size_t i = count_options(verb->options); i < flags.n_before_keys; i++)
    fprintf(to, i + 1 < flags.n_before_keys ? " `%s`," : " and `%s`.\n", flags.options[i].flag);
  sp_flags_done(&flags);
}

static void print_verbs(FILE *to, const struct sp_reference_verb *verbs) {
  fputs("\n## Options of single verbs\n\n`--help` prints the same, and how each verb is used. An option of a "
        "verb's own takes the place of a key's flag of that name; the key is then set with `--set`.\n",
        to);
  for (; verbs->name; verbs++) {
    fprintf(to, "\n### %s\n", verbs->name);
    if (verbs->of_scenario) print_taken(to, verbs->of_scenario);
    const struct sp_option *own = verbs->of_scenario ? verbs->of_scenario->options : verbs->options;
    if (count_options(own)) print_options(to, own);
  }
}

void sp_reference_markdown(FILE *to, const struct sp_reference_verb *verbs) {
  fputs("# Reference\n\n"
        "Made by `servepath reference --markdown` from the tables that also check scenarios and make "
        "`--help`; do not "
        "edit.\n\n"
        "A scenario is one YAML document, `scenario.yaml` in a folder of its own. Each `--overlay` is laid "
        "over it "
        "(mappings merge key by key, everything else is replaced, `null` brings the default back), then "
        "flags and "
        "`--set KEY=VALUE` in the order given, then the keys of `--side NAME,KEY=VALUE`. A flag of a side's "
        "key holds "
        "for every side. Paths in a file are relative to that file, those of flags to the working "
        "directory.\n\n"
        "| written as | |\n|---|---|\n"
        "| `TIME` | `250us` `10ms` `30s` `2m` `1h`, also `ns` |\n"
        "| `RATE` | `2000/s` `0.5/s` `100/min` `10/h` |\n"
        "| `SIZE` | `64KiB`, also `B` `MiB` `GiB` |\n"
        "| `SHARE` | `0.1%` or `0.001` |\n"
        "| `N` | digits |\n"
        "| `NUMBER` | `0.5` `1e-5` |\n"
        "| `@FILE\\|$NAME` | a secret: the first line of a file, or from the environment; shown as `***` |\n",
        to);
  print_table(to, &sp_scenario_table, "");
  print_common(to);
  print_verbs(to, verbs);
  fputs("\n## Exit codes\n\n| code | |\n|---|---|\n"
        "| 0 | done and passed |\n"
        "| 1 | failed: regression, mismatch, bound missed |\n"
        "| 2 | invalid measurement; `--inconclusive` leaves it |\n"
        "| 3 | environment: broker, server, file, port, disk |\n"
        "| 4 | inconclusive; 0 with `--inconclusive pass`, 1 with `--inconclusive fail` |\n"
        "| 64 | usage, and errors in a scenario |\n"
        "| 70 | internal error |\n"
        "| 130, 143 | ended by a signal; what was measured is written and marked incomplete |\n",
        to);
}
