// Looking declared keys up.
#include <string.h>

#include "base/names.h"
#include "scenario/bind.h"

#define NAMES_MAX 64

struct sp_found_key sp_key_find(const struct sp_table *table, const char *name) {
  for (const struct sp_key *key = table->keys; key->name; key++) {
    if (key->kind == SP_KIND_INLINE) {
      struct sp_found_key found = sp_key_find(key->table, name);
      found.offset += key->offset;
      if (found.key) return found;
    } else if (strcmp(key->name, name) == 0) {
      return (struct sp_found_key){key, key->offset};
    }
  }
  return (struct sp_found_key){NULL, 0};
}

static size_t collect(const struct sp_table *table, const char **names, size_t n) {
  for (const struct sp_key *key = table->keys; key->name && n < NAMES_MAX; key++) {
    if (key->kind == SP_KIND_INLINE)
      n = collect(key->table, names, n);
    else
      names[n++] = key->name;
  }
  return n;
}

char *sp_key_suggest(const struct sp_table *table, const char *name, char *text, size_t n_text) {
  const char *names[NAMES_MAX];
  size_t n = collect(table, names, 0);
  return sp_names_suggest(name, names, n, text, n_text);
}

bool sp_property_is_secret(const char *name) {
  static const char *const parts[] = {"password", "secret", "key.pem", "oauthbearer.config"};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    if (strstr(name, parts[i])) return true;
  }
  return false;
}

bool sp_name_is_plain(const char *name) {
  size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
  return n > 0 && n < 64 && name[n] == '\0' && name[0] != '-';
}
