// Builds the tree from libfyaml's events: they carry exact places, and nothing is resolved or expanded behind our back.
#include "scenario/yaml.h"

#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct anchor {
  char *name;
  struct sp_node *node; // a copy; NULL until it is complete, so that none holds itself
};

struct reader {
  const struct sp_origin *origin;
  struct fy_parser *parser;
  struct fy_diag *diag;
  struct sp_error *error;
  struct anchor *anchors;
  size_t n_anchors;
  size_t n_nodes;
  unsigned depth;
  unsigned line, column; // of the last node: an empty value has no place of its own
};

static void discard(struct fy_diag *diag, void *user, const char *text, size_t n) {
  (void)diag, (void)user, (void)text, (void)n; // what it says is taken by fy_diag_errors_iterate
}

static enum sp_err fail(const struct reader *reader, const struct fy_mark *mark, const char *what) {
  struct sp_node at = {.origin = reader->origin, .line = 1, .column = 1};
  if (mark) {
    at.line = (unsigned)mark->line + 1;
    at.column = (unsigned)mark->column + 1;
  }
  return sp_node_fail(&at, NULL, reader->error, "%s", what);
}

// The parser's own complaint, the first one.
static enum sp_err fail_syntax(const struct reader *reader) {
  void *previous = NULL;
  const struct fy_diag_error *found = fy_diag_errors_iterate(reader->diag, &previous);
  if (!found) return fail(reader, NULL, "not YAML that can be read");
  char what[256];
  struct fy_mark mark = {.line = found->line > 0 ? found->line - 1 : 0,
                         .column = found->column > 0 ? found->column - 1 : 0};
  snprintf(what, sizeof what, "not YAML: %s", found->msg);
  return fail(reader, &mark, what);
}

// The next event; NULL at the end of the stream or after an error (then *err is set).
static struct fy_event *next_event(struct reader *reader, enum sp_err *err) {
  struct fy_event *event = fy_parser_parse(reader->parser);
  *err = !event && fy_parser_get_stream_error(reader->parser) ? fail_syntax(reader) : SP_OK;
  return event;
}

static char *token_text(struct fy_token *token) {
  size_t n = 0;
  const char *text = token ? fy_token_get_text(token, &n) : NULL;
  char *copy = sp_alloc(n + 1);
  if (text) memcpy(copy, text, n);
  return copy;
}

// Room for an anchor's node; its index.
static size_t keep_anchor(struct reader *reader, struct fy_token *token) {
  reader->anchors = sp_realloc(reader->anchors, (reader->n_anchors + 1) * sizeof *reader->anchors);
  reader->anchors[reader->n_anchors] = (struct anchor){token_text(token), NULL};
  return reader->n_anchors++;
}

// The latest node of that name, as YAML has it.
static enum sp_err read_alias(struct reader *reader, struct fy_event *event, struct sp_node **node) {
  char *name = token_text(event->alias.anchor), what[256];
  const struct sp_node *found = NULL;
  struct fy_mark mark = *fy_event_start_mark(event);
  mark.column -= mark.column > 0; // it stands behind the asterisk
  for (size_t i = 0; i < reader->n_anchors; i++) {
    if (strcmp(reader->anchors[i].name, name) == 0) found = reader->anchors[i].node;
  }
  snprintf(what, sizeof what, "alias *%.60s stands for nothing; mark what it repeats with &%.60s before it",
           name, name);
  free(name);
  if (!found) return fail(reader, &mark, what);
  reader->n_nodes += sp_node_count(found);
  if (reader->n_nodes > SP_YAML_NODES_MAX) return fail(reader, &mark, "aliases repeat too much");
  *node = sp_node_copy(found);
  return SP_OK;
}

static enum sp_err read_node(struct reader *reader, struct fy_event *event, struct sp_node **out);

static enum sp_err read_sequence(struct reader *reader, struct sp_node *sequence) {
  for (;;) {
    enum sp_err err;
    struct fy_event *event = next_event(reader, &err);
    if (err || !event) return err;
    if (event->type == FYET_SEQUENCE_END) {
      fy_parser_event_free(reader->parser, event);
      return SP_OK;
    }
    struct sp_node *item = NULL;
    err = read_node(reader, event, &item);
    if (err) return err;
    SP_ASSERT(item);
    sp_node_append(sequence, (struct sp_entry){NULL, reader->origin, item->line, item->column, item});
  }
}

// The name of an entry: *entry without its value.
static enum sp_err read_name(struct reader *reader, struct fy_event *event, const struct sp_node *mapping,
                             struct sp_entry *entry) {
  struct sp_node *name = NULL;
  enum sp_err err = read_node(reader, event, &name);
  if (err) return err;
  *entry = (struct sp_entry){NULL, reader->origin, name->line, name->column, NULL};
  const struct sp_entry *other = name->kind == SP_NODE_SCALAR ? sp_node_find(mapping, name->text) : NULL;
  if (name->kind != SP_NODE_SCALAR)
    err = sp_node_fail(name, NULL, reader->error, "a key must be a word");
  else if (other)
    err = sp_node_fail(name, NULL, reader->error, "key %.80s stands here twice, first in line %u; remove one",
                       name->text, other->line);
  else
    entry->name = sp_copy_text(name->text);
  sp_node_free(name);
  return err;
}

static enum sp_err read_mapping(struct reader *reader, struct sp_node *mapping) {
  for (;;) {
    enum sp_err err;
    struct sp_entry entry;
    struct fy_event *event = next_event(reader, &err);
    if (err || !event) return err;
    if (event->type == FYET_MAPPING_END) {
      fy_parser_event_free(reader->parser, event);
      return SP_OK;
    }
    err = read_name(reader, event, mapping, &entry);
    if (err) return err;
    event = next_event(reader, &err);
    if (!err && !event) err = fail(reader, NULL, "not YAML: ends inside a mapping");
    if (!err) err = read_node(reader, event, &entry.value);
    if (err) {
      free(entry.name);
      return err;
    }
    sp_node_append(mapping, entry);
  }
}

// *node from the event that starts it, without what it holds.
static enum sp_err start_node(struct reader *reader, struct fy_event *event, struct sp_node **node,
                              struct fy_token **anchor) {
  const struct fy_mark *mark = fy_event_start_mark(event);
  struct fy_token *tag = fy_event_get_tag_token(event);
  if (tag) return fail(reader, mark, "tags (!...) have no meaning in a scenario; remove it");
  if (++reader->n_nodes > SP_YAML_NODES_MAX) return fail(reader, mark, "too many values for a scenario");
  if (mark) {
    reader->line = (unsigned)mark->line + 1;
    reader->column = (unsigned)mark->column + 1;
  }
  enum sp_node_kind kind = event->type == FYET_SCALAR           ? SP_NODE_SCALAR
                           : event->type == FYET_SEQUENCE_START ? SP_NODE_SEQUENCE
                                                                : SP_NODE_MAPPING;
  *anchor = fy_event_get_anchor_token(event);
  if (*anchor && reader->n_anchors == SP_YAML_ANCHORS_MAX) return fail(reader, mark, "too many anchors (&)");
  *node = sp_node_new(kind, reader->origin, reader->line, reader->column);
  if (kind != SP_NODE_SCALAR) return SP_OK;
  (*node)->text = token_text(event->scalar.value);
  enum fy_scalar_style style = event->scalar.value ? fy_token_scalar_style(event->scalar.value) : FYSS_PLAIN;
  (*node)->is_plain = style == FYSS_PLAIN;
  bool is_quoted = style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
  if (is_quoted && (*node)->column > 1) (*node)->column--; // libfyaml's mark stands behind the quote
  return SP_OK;
}

// Takes the event. *out is NULL after an error.
static enum sp_err read_node(struct reader *reader, struct fy_event *event, struct sp_node **out) {
  struct sp_node *node = NULL;
  struct fy_token *anchor = NULL;
  enum sp_err err;
  if (reader->depth >= SP_YAML_DEPTH_MAX)
    err = fail(reader, fy_event_start_mark(event), "nested too deeply for a scenario");
  else if (event->type == FYET_ALIAS)
    err = read_alias(reader, event, &node);
  else
    err = start_node(reader, event, &node, &anchor);
  bool is_mapping = event->type == FYET_MAPPING_START, is_sequence = event->type == FYET_SEQUENCE_START;
  size_t anchor_i = !err && anchor ? keep_anchor(reader, anchor) : 0;
  bool is_anchored = !err && anchor;
  fy_parser_event_free(reader->parser, event);
  reader->depth++;
  if (!err && is_mapping) err = read_mapping(reader, node);
  if (!err && is_sequence) err = read_sequence(reader, node);
  reader->depth--;
  if (!err && is_anchored) reader->anchors[anchor_i].node = sp_node_copy(node);
  if (err) {
    sp_node_free(node);
    node = NULL;
  }
  *out = node;
  return err;
}

// stream start, document start, node, document end, stream end.
static enum sp_err read_stream(struct reader *reader, struct sp_node **root) {
  enum sp_err err = SP_OK;
  struct fy_event *event;
  while (!err && (event = next_event(reader, &err))) {
    bool is_node = event->type == FYET_MAPPING_START || event->type == FYET_SEQUENCE_START ||
                   event->type == FYET_SCALAR || event->type == FYET_ALIAS;
    if (is_node) {
      err = read_node(reader, event, root);
      continue;
    }
    if (event->type == FYET_DOCUMENT_START && *root)
      err = fail(reader, fy_event_start_mark(event), "a second document starts here; a scenario is one");
    fy_parser_event_free(reader->parser, event);
  }
  return err;
}

static void reader_done(struct reader *reader) {
  for (size_t i = 0; i < reader->n_anchors; i++) {
    free(reader->anchors[i].name);
    sp_node_free(reader->anchors[i].node);
  }
  free(reader->anchors);
  if (reader->parser) fy_parser_destroy(reader->parser);
  fy_diag_destroy(reader->diag);
}

// Length of the UTF-8 character at `at` of n bytes, 0 if it is none (RFC 3629).
static size_t utf8_length(const uint8_t *at, size_t n) {
  if (at[0] < 0x80) return 1;
  size_t length = at[0] >= 0xc2 && at[0] < 0xe0   ? 2
                  : (at[0] & 0xf0) == 0xe0        ? 3
                  : at[0] >= 0xf0 && at[0] < 0xf5 ? 4
                                                  : 0;
  if (length == 0 || length > n) return 0;
  for (size_t i = 1; i < length; i++) {
    if ((at[i] & 0xc0) != 0x80) return 0;
  }
  bool is_overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
  bool is_outside = (at[0] == 0xed && at[1] >= 0xa0) || (at[0] == 0xf4 && at[1] >= 0x90);
  return is_overlong || is_outside ? 0 : length;
}

// Where the first byte is that is not text; false if there is none.
static bool find_bad_byte(struct sp_bytes text, struct fy_mark *mark) {
  *mark = (struct fy_mark){0};
  for (size_t i = 0, length; i < text.n; i += length) {
    length = utf8_length(text.data + i, text.n - i);
    bool is_control = (text.data[i] < 0x20 && !strchr("\t\n\r", text.data[i])) || text.data[i] == 0x7f;
    if (length == 0 || text.data[i] == 0 || is_control) return true;
    bool is_line_end = text.data[i] == '\n';
    mark->line += is_line_end;
    mark->column = is_line_end ? 0 : mark->column + 1;
  }
  return false;
}

bool sp_yaml_is_text(struct sp_bytes text) {
  struct fy_mark mark;
  return !find_bad_byte(text, &mark);
}

// libfyaml 0.7 takes a byte that is not UTF-8 for the end of the text: what follows would be dropped without a word.
static enum sp_err check_text(const struct reader *reader, struct sp_bytes text) {
  struct fy_mark mark;
  if (text.n > SP_YAML_BYTES_MAX) return fail(reader, NULL, "larger than 1 MiB: this is no scenario");
  return find_bad_byte(text, &mark) ? fail(reader, &mark, "a byte that is no text; save the file as UTF-8")
                                    : SP_OK;
}

enum sp_err sp_yaml_parse(const struct sp_origin *origin, struct sp_bytes text, struct sp_node **root,
                          struct sp_error *error) {
  struct fy_diag_cfg diag_cfg;
  fy_diag_cfg_default(&diag_cfg);
  diag_cfg.fp = NULL;
  diag_cfg.output_fn = discard;
  struct reader reader = {
      .origin = origin, .error = error, .diag = fy_diag_create(&diag_cfg), .line = 1, .column = 1};
  SP_ASSERT(reader.diag);
  fy_diag_set_collect_errors(reader.diag, true);
  struct fy_parse_cfg parse_cfg = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 |
                                            FYPCF_JSON_NONE | FYPCF_DISABLE_RECYCLING,
                                   .diag = reader.diag};
  enum sp_err err = check_text(&reader, text);
  *root = NULL;
  if (!err) {
    reader.parser = fy_parser_create(&parse_cfg);
    SP_ASSERT(reader.parser && fy_parser_set_string(reader.parser, (const char *)text.data, text.n) == 0);
    err = read_stream(&reader, root);
  }
  reader_done(&reader);
  if (!err && !*root) *root = sp_node_new(SP_NODE_MAPPING, origin, 1, 1);
  if (err) {
    sp_node_free(*root);
    *root = NULL;
  }
  return err;
}
