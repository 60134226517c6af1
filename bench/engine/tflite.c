// A reader of the few fields of a TFLite file (FlatBuffers, file identifier TFL3) that name tensors. The fields are those of
// tensorflow/compiler/mlir/lite/schema/schema.fbs, in its order.
#include "engine/tflite.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/tensor.h"

enum { MODEL_SUBGRAPHS = 2, MODEL_SIGNATURES = 7 };
enum { SUBGRAPH_TENSORS = 0 };
enum { TENSOR_NAME = 3 };
enum { SIGNATURE_INPUTS = 0, SIGNATURE_OUTPUTS = 1, SIGNATURE_KEY = 2, SIGNATURE_SUBGRAPH = 4 };
enum { MAP_NAME = 0, MAP_TENSOR = 1 };
#define SIGNATURES_MAX 64

struct names {
  size_t n;
  char *tensors[SP_TENSORS_MAX]; // the graph's
  char *names[SP_TENSORS_MAX];   // the signature's
};
struct sp_tflite {
  struct names inputs, outputs;
};

// The whole file. Positions are offsets in it; 0 stands for "not there", as no field can lie at the start.
struct view {
  const uint8_t *bytes;
  uint64_t n;
};

static uint64_t load(const struct view *view, uint64_t at, size_t n_bytes) {
  uint64_t value = 0;
  if (at == 0 || at > view->n || n_bytes > view->n - at) return 0;
  for (size_t i = 0; i < n_bytes; i++) value |= (uint64_t)view->bytes[at + i] << (8 * i);
  return value;
}

// What an offset at `at` points to.
static uint64_t follow(const struct view *view, uint64_t at) {
  uint64_t offset = load(view, at, 4);
  return offset ? at + offset : 0;
}

// Where the i-th field of a table stands.
static uint64_t field(const struct view *view, uint64_t table, size_t i) {
  int64_t back = (int32_t)(uint32_t)load(view, table, 4);
  int64_t vtable = (int64_t)table - back;
  if (!table || vtable <= 0) return 0;
  uint64_t at = 4 + 2 * (uint64_t)i;
  if (at + 2 > load(view, (uint64_t)vtable, 2)) return 0;
  uint64_t offset = load(view, (uint64_t)vtable + at, 2);
  return offset ? table + offset : 0;
}

static uint64_t vector_length(const struct view *view, uint64_t vector) {
  return load(view, vector, 4);
}

// The i-th table of a vector of tables.
static uint64_t table_at(const struct view *view, uint64_t vector, uint64_t i) {
  return i < vector_length(view, vector) ? follow(view, vector + 4 + 4 * i) : 0;
}

// From malloc; NULL where there is none, or one that is no name.
static char *text(const struct view *view, uint64_t at) {
  uint64_t string = follow(view, at), n = load(view, string, 4);
  if (!n || n > 4096 || string + 4 > view->n || n > view->n - string - 4) return NULL;
  return sp_format("%.*s", (int)n, (const char *)view->bytes + string + 4);
}

static void read_maps(const struct view *view, uint64_t maps, uint64_t tensors, struct names *names) {
  for (uint64_t i = 0; i < vector_length(view, maps) && names->n < SP_TENSORS_MAX; i++) {
    uint64_t map = table_at(view, maps, i);
    if (!map) return;
    uint64_t tensor = table_at(view, tensors, load(view, field(view, map, MAP_TENSOR), 4));
    char *of_graph = text(view, field(view, tensor, TENSOR_NAME)),
         *name = text(view, field(view, map, MAP_NAME));
    if (of_graph && name) {
      names->tensors[names->n] = of_graph;
      names->names[names->n++] = name;
    } else {
      free(of_graph);
      free(name);
    }
  }
}

static uint64_t find_signature(const struct view *view, uint64_t model) {
  uint64_t signatures = follow(view, field(view, model, MODEL_SIGNATURES));
  for (uint64_t i = 0; i < vector_length(view, signatures) && i < SIGNATURES_MAX; i++) {
    uint64_t signature = table_at(view, signatures, i);
    char *key = text(view, field(view, signature, SIGNATURE_KEY));
    bool is_default = key && strcmp(key, "serving_default") == 0;
    free(key);
    if (is_default) return signature;
  }
  return table_at(view, signatures, 0);
}

static struct sp_tflite *read_names(const struct view *view) {
  if (view->n < 8 || memcmp(view->bytes + 4, "TFL3", 4) != 0) return NULL;
  uint64_t model = 0;
  for (size_t i = 0; i < 4; i++) model |= (uint64_t)view->bytes[i] << (8 * i);
  uint64_t signature = find_signature(view, model);
  if (!signature) return NULL;
  uint64_t subgraphs = follow(view, field(view, model, MODEL_SUBGRAPHS));
  uint64_t graph = table_at(view, subgraphs, load(view, field(view, signature, SIGNATURE_SUBGRAPH), 4));
  uint64_t tensors = follow(view, field(view, graph, SUBGRAPH_TENSORS));
  struct sp_tflite *tflite = sp_alloc(sizeof *tflite);
  read_maps(view, follow(view, field(view, signature, SIGNATURE_INPUTS)), tensors, &tflite->inputs);
  read_maps(view, follow(view, field(view, signature, SIGNATURE_OUTPUTS)), tensors, &tflite->outputs);
  return tflite;
}

struct sp_tflite *sp_tflite_read(const char *file) {
  struct sp_tflite *tflite = NULL;
  struct stat status;
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
    size_t n = (size_t)status.st_size;
    void *bytes = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes != MAP_FAILED) {
      tflite = read_names(&(struct view){bytes, n});
      munmap(bytes, n);
    }
  }
  close(fd);
  return tflite;
}

static void names_done(struct names *names) {
  for (size_t i = 0; i < names->n; i++) {
    free(names->tensors[i]);
    free(names->names[i]);
  }
}

void sp_tflite_free(struct sp_tflite *tflite) {
  if (!tflite) return;
  names_done(&tflite->inputs);
  names_done(&tflite->outputs);
  free(tflite);
}

const char *sp_tflite_name(const struct sp_tflite *tflite, bool is_input, const char *tensor) {
  if (!tflite) return NULL;
  const struct names *names = is_input ? &tflite->inputs : &tflite->outputs;
  for (size_t i = 0; i < names->n; i++) {
    if (strcmp(names->tensors[i], tensor) == 0) return names->names[i];
  }
  return NULL;
}
