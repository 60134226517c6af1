// Edit distance and suggestions.
#include "base/names.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LONGEST 63

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

size_t sp_names_distance(const char *a, const char *b) {
  size_t n_a = strlen(a), n_b = strlen(b);
  if (n_a > LONGEST || n_b > LONGEST) return LONGEST + 1;
  size_t rows[3][LONGEST + 1]; // of the table, by i modulo 3
  for (size_t j = 0; j <= n_b; j++) rows[0][j] = j;
  for (size_t i = 1; i <= n_a; i++) {
    size_t *row = rows[i % 3];
    const size_t *before = rows[(i + 2) % 3], *two_before = rows[(i + 1) % 3];
    row[0] = i;
    for (size_t j = 1; j <= n_b; j++) {
      int left = tolower((unsigned char)a[i - 1]), right = tolower((unsigned char)b[j - 1]);
      row[j] = least(least(before[j], row[j - 1]) + 1, before[j - 1] + (left != right));
      if (i > 1 && j > 1 && left == tolower((unsigned char)b[j - 2]) &&
          right == tolower((unsigned char)a[i - 2]))
        row[j] = least(row[j], two_before[j - 2] + 1);
    }
  }
  return rows[n_a % 3][n_b];
}

const char *sp_names_nearest(const char *given, const char *const *names, size_t n_names) {
  size_t n_given = strlen(given), allowed = n_given < 6 ? 1 : n_given / 3, n_starts = 0;
  size_t best = 2 * allowed +
                2; // twice the distance, one more where `given` is not its start: --rat is --rate, not --raw
  const char *nearest = NULL, *start = NULL;
  for (size_t i = 0; i < n_names; i++) {
    size_t distance = sp_names_distance(given, names[i]);
    bool is_start = n_given >= 2 && strncasecmp(given, names[i], n_given) == 0;
    if (distance < strlen(names[i]) && 2 * distance + !is_start < best) {
      nearest = names[i];
      best = 2 * distance + !is_start;
    }
    if (is_start) {
      start = names[i];
      n_starts++;
    }
  }
  return nearest ? nearest : n_starts == 1 ? start : NULL;
}

char *sp_names_suggest(const char *given, const char *const *names, size_t n_names, char *text,
                       size_t n_text) {
  const char *nearest = sp_names_nearest(given, names, n_names);
  if (nearest) {
    snprintf(text, n_text, "did you mean %s?", nearest);
    return text;
  }
  size_t n = 0;
  text[0] = '\0';
  for (size_t i = 0; i < n_names; i++) {
    size_t n_left = n_text - n, n_more = strlen(names[i]) + strlen("one of: ") + strlen(", ...");
    if (n_left <= n_more) {
      snprintf(text + n, n_left, ", ...");
      break;
    }
    n += (size_t)snprintf(text + n, n_left, "%s%s", i ? ", " : "one of: ", names[i]);
  }
  return text;
}

// The next word at or after `at`, its length in *n; NULL at the end.
static const char *next_word(const char *at, size_t *n) {
  at += strspn(at, " ");
  *n = strcspn(at, " ");
  return *n ? at : NULL;
}

size_t sp_words_count(const char *words) {
  size_t count = 0, n;
  for (const char *at = words; (at = next_word(at, &n)); at += n) count++;
  return count;
}

int sp_words_index(const char *words, const char *word) {
  int i = 0;
  size_t n;
  for (const char *at = words; (at = next_word(at, &n)); at += n, i++) {
    if (strlen(word) == n && memcmp(at, word, n) == 0) return i;
  }
  return -1;
}

char *sp_words_nth(const char *words, size_t i, char *text, size_t n_text) {
  size_t n;
  text[0] = '\0';
  for (const char *at = words; (at = next_word(at, &n)); at += n) {
    if (i-- > 0) continue;
    snprintf(text, n_text, "%.*s", (int)n, at);
    break;
  }
  return text;
}

char *sp_words_suggest(const char *words, const char *given, char *text, size_t n_text) {
  char copies[32][64] = {{0}};
  const char *names[32];
  size_t n_names = least(sp_words_count(words), 32);
  for (size_t i = 0; i < n_names; i++) names[i] = sp_words_nth(words, i, copies[i], sizeof copies[i]);
  return sp_names_suggest(given, names, n_names, text, n_text);
}
