// Writes the YAML of a new case.
#include "import/new_yaml.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/names.h"
#include "base/printable.h"

#define LINE_BYTES 110
#define INDENT     "        " // of the elements of long lists

void sp_new_yaml_put(struct sp_new_yaml *yaml, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vfprintf(yaml->to, format, args);
  va_end(args);
  if (n > 0) yaml->column += (unsigned)n;
}

static void end_line(struct sp_new_yaml *yaml) {
  fputc('\n', yaml->to);
  yaml->line++;
  yaml->column = 0;
}

void sp_new_yaml_end(struct sp_new_yaml *yaml, const char *why) {
  if (*why) {
    sp_new_yaml_put(yaml, " # guessed: %s", why);
    yaml->n_guessed++;
  }
  end_line(yaml);
}

// The same for `# choose: why`, which somebody must complete.
static void end_open(struct sp_new_yaml *yaml, const char *why) {
  sp_new_yaml_put(yaml, " # choose: %s", why);
  if (!yaml->choose_line) yaml->choose_line = yaml->line;
  end_line(yaml);
}

// Words that YAML 1.1 or 1.2 may take for something other than a text.
static bool is_reserved(const char *text) {
  static const char *const words[] = {"null", "true", "false", "yes", "no", "on",
                                      "off",  "y",    "n",     "nan", "inf"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (strcasecmp(words[i], text) == 0) return true;
  }
  return false;
}

char *sp_new_yaml_text(const char *text) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  static const char more[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789./-";
  bool is_word = *text && strchr(letters, *text) && text[strspn(text, more)] == '\0' && !is_reserved(text);
  if (is_word) return sp_copy_text(text);
  char *quoted = sp_alloc(4 * strlen(text) + 3), *at = quoted;
  *at++ = '"';
  for (const char *from = text; *from; from++) {
    bool is_control = (unsigned char)*from < 0x20 || *from == 0x7f;
    if (is_control) {
      at += sprintf(at, "\\x%02x", (unsigned)*from);
      continue;
    }
    if (*from == '"' || *from == '\\') *at++ = '\\';
    *at++ = *from;
  }
  *at++ = '"';
  return quoted;
}

void sp_new_yaml_item(struct sp_new_yaml *yaml, const char *item, bool is_last) {
  if (yaml->column > 0 && yaml->column + strlen(item) + 2 > LINE_BYTES) end_line(yaml);
  sp_new_yaml_put(yaml, "%s%s%s", yaml->column ? " " : INDENT, item, is_last ? "]" : ",");
}

// ---- the file from its top

void sp_new_yaml_head(struct sp_new_yaml *yaml, const char *name, const char *made_from, const char *why) {
  char *shown = sp_printable(made_from, strlen(made_from), 200), *text = sp_new_yaml_text(name);
  sp_new_yaml_put(
      yaml, "# Made by servepath new %s. What it could not know is marked: correct it where it is wrong.",
      shown);
  end_line(yaml);
  sp_new_yaml_put(yaml, "version: 1");
  end_line(yaml);
  sp_new_yaml_put(yaml, "name: %s", text);
  end_line(yaml);
  char *recording = sp_format("%s.sprec", name), *dir = sp_format("models/%s", name);
  char *recording_text = sp_new_yaml_text(recording), *dir_text = sp_new_yaml_text(dir);
  sp_new_yaml_put(yaml, "recording: %s", recording_text);
  sp_new_yaml_end(yaml, why);
  sp_new_yaml_put(yaml, "model: {name: %s, dir: %s}", text, dir_text);
  end_line(yaml);
  free(recording);
  free(recording_text);
  free(dir);
  free(dir_text);
  free(shown);
  free(text);
}

void sp_new_yaml_tensor(struct sp_new_yaml *yaml, const struct sp_tensor_spec *spec) {
  char *name = sp_new_yaml_text(spec->name);
  sp_new_yaml_put(yaml, "    - name: %s", name);
  end_line(yaml);
  sp_new_yaml_put(yaml, "      dtype: %s", sp_dtype_name(spec->dtype));
  end_line(yaml);
  sp_new_yaml_put(yaml, "      shape: [1");
  for (uint32_t i = 1; i < spec->rank; i++) sp_new_yaml_put(yaml, ", %" PRId64, spec->shape[i]);
  sp_new_yaml_put(yaml, "]");
  end_line(yaml);
  free(name);
}

char *sp_new_levels_file(const struct sp_profile *profile, size_t column_i) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  const char *name = profile->columns[column_i].name;
  bool is_plain =
      strlen(name) <= 60 && name[strspn(name, plain)] == '\0' && strncasecmp(name, "column_", 7) != 0;
  return is_plain ? sp_format("levels/%s.txt", name) : sp_format("levels/column_%zu.txt", column_i + 1);
}

// `name`, or `{column: name, ...}` and why; *why "" for a plain number.
static char *column_text(const struct sp_profile *profile, size_t i, char why[SP_GUESS_WHY_BYTES]) {
  const struct sp_column_profile *column = &profile->columns[i];
  char *name = sp_new_yaml_text(column->name), *text;
  uint64_t n_without = column->n_missing + column->n_na_words, n_rows = profile->n_rows - profile->n_odd_rows;
  *why = '\0';
  if (sp_profile_is_number(column)) {
    if (n_without)
      snprintf(why, SP_GUESS_WHY_BYTES, "0 for the %" PRIu64 " of %" PRIu64 " rows without a number",
               n_without, n_rows);
    text = *why ? sp_format("{column: %s%s%s}", name, column->n_missing ? ", missing: 0" : "",
                            column->n_na_words ? ", unknown: 0" : "")
                : sp_copy_text(name);
  } else {
    char *file = sp_new_levels_file(profile, i);
    snprintf(why, SP_GUESS_WHY_BYTES,
             "its line among %zu sorted levels; training may have numbered them otherwise", column->levels.n);
    text = sp_format("{column: %s, vocabulary: %s%s}", name, file,
                     column->n_missing ? ", missing: own_code" : "");
    free(file);
  }
  free(name);
  return text;
}

static void put_columns(struct sp_new_yaml *yaml, const struct sp_profile *profile,
                        const struct sp_guessed_tensor *tensor) {
  sp_new_yaml_put(yaml, "      columns: [%s", tensor->n == 0 ? "]" : "");
  if (tensor->is_open)
    end_open(yaml, tensor->why);
  else
    sp_new_yaml_end(yaml, tensor->why);
  for (size_t i = 0; i < tensor->n; i++) {
    char why[SP_GUESS_WHY_BYTES];
    char *text = column_text(profile, tensor->columns[i], why);
    if (*why && yaml->column > 0) end_line(yaml);
    sp_new_yaml_item(yaml, text, i + 1 == tensor->n);
    if (*why) sp_new_yaml_end(yaml, why);
    free(text);
  }
  if (yaml->column > 0) end_line(yaml);
}

void sp_new_yaml_input(struct sp_new_yaml *yaml, const struct sp_profile *profile,
                       const struct sp_model_io *io, const struct sp_guess *guess) {
  sp_new_yaml_put(yaml, "input:");
  end_line(yaml);
  sp_new_yaml_put(yaml, "  format: csv");
  end_line(yaml);
  sp_new_yaml_put(yaml, "  header: [");
  sp_new_yaml_end(yaml, profile->has_header ? "the first row holds no number, so it names the columns"
                                            : "no header row, for the first row holds numbers");
  for (size_t i = 0; i < profile->n_columns; i++) {
    char *name = sp_new_yaml_text(profile->columns[i].name);
    sp_new_yaml_item(yaml, name, i + 1 == profile->n_columns);
    free(name);
  }
  end_line(yaml);
  sp_new_yaml_put(yaml, "  tensors:");
  end_line(yaml);
  for (size_t i = 0; i < io->n_inputs; i++) {
    sp_new_yaml_tensor(yaml, &io->inputs[i]);
    put_columns(yaml, profile, &guess->tensors[i]);
  }
}

void sp_new_yaml_tail(struct sp_new_yaml *yaml, const struct sp_model_io *io, const char *engine) {
  char why[SP_GUESS_WHY_BYTES];
  char *output = sp_new_yaml_text(io->outputs[sp_guess_output(io, why)].name);
  bool is_default = strcmp(engine, "onnxruntime") == 0;
  sp_new_yaml_put(yaml, "output: {format: json, tensor: %s, as: array}", output);
  sp_new_yaml_end(yaml, why);
  fprintf(yaml->to,
          "load: {arrival: poisson, rate: 500/s, warmup: 1s, duration: 10s}\n"
          "expect: {abs: 1e-5, rel: 1e-4, p99: 50ms, not_ok: 0.1%%}\n"
          "sides:\n"
          "  embedded: {path: embedded%s%s}\n"
          "  rpc: {path: rpc%s%s%s}\n",
          is_default ? "" : ", engine: ", is_default ? "" : engine,
          is_default ? "" : ", server: {engine: ", is_default ? "" : engine, is_default ? "" : "}");
  free(output);
}
