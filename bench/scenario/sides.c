// A side's own transport, broker and model: filled in once, and laid over the scenario where a trial of that side asks.
#include "scenario/sides.h"

#include <stdlib.h>
#include <string.h>

char *sp_path_last_part(const char *path) {
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/') n--;
  size_t start = n;
  while (start > 0 && path[start - 1] != '/') start--;
  return sp_format("%.*s", (int)(n - start), path + start);
}

static struct sp_side *side_at(const struct sp_scenario *scenario, size_t i) {
  return (struct sp_side *)scenario->sides.items + i;
}

// --- Transport and broker ---

static bool has_own_stream(const struct sp_side *side) {
  return side->stream.transport != SP_TRANSPORT_AUTO || side->stream.broker;
}

// Whether some side that travels as the scenario says is answered by an application that others wrote.
static bool has_foreign_app(const struct sp_check_context *check) {
  const struct sp_list *sides = &check->scenario->sides;
  for (size_t i = 0; i < sides->n; i++) {
    const struct sp_side *side = side_at(check->scenario, i);
    if (side->app.command && !has_own_stream(side) && sp_check_is_measured(check, side->name)) return true;
  }
  return false;
}

// Where no broker is named, the mock, with which clients other than librdkafka's do not work: for an application of others a real one.
static char *standard_broker(bool is_foreign) {
  return sp_copy_text(is_foreign ? "kafka" : "mock");
}

// DESIGN: Kafka where a broker is named, or an application that reads from one.
static void settle_stream(struct sp_scenario *scenario, const struct sp_check_context *check) {
  struct sp_stream_conf *stream = &scenario->stream;
  bool is_foreign = has_foreign_app(check);
  if (stream->transport == SP_TRANSPORT_AUTO)
    stream->transport = stream->broker || is_foreign ? SP_TRANSPORT_KAFKA : SP_TRANSPORT_DIRECT;
  if (stream->transport == SP_TRANSPORT_KAFKA && !stream->broker)
    stream->broker = standard_broker(is_foreign);
}

static void settle_side_stream(const struct sp_scenario *scenario, struct sp_side *side) {
  struct sp_side_stream_conf *own = &side->stream;
  const char *common = scenario->stream.broker;
  if (own->transport == SP_TRANSPORT_AUTO && own->broker) own->transport = SP_TRANSPORT_KAFKA;
  if (own->transport != SP_TRANSPORT_KAFKA || own->broker) return;
  own->broker = common ? sp_copy_text(common) : standard_broker(side->app.command != NULL);
}

// --- Model ---

static void settle_model(struct sp_model_conf *model) {
  if (!model->dir) return;
  sp_model_settle_version(model);
  if (!model->name) model->name = sp_path_last_part(model->dir);
}

// A folder of its own is another model, a number alone another version of the common one; a label goes with the number that it stands for.
static void settle_side_model(const struct sp_model_conf *common, struct sp_model_conf *own) {
  if (own->dir) {
    settle_model(own);
    return;
  }
  if (!common->dir || (!own->name && !own->version && !own->label)) return;
  own->dir = sp_copy_text(common->dir);
  if (!own->name) own->name = sp_copy_text(common->name);
  if (!own->label && !own->version && common->label) own->label = sp_copy_text(common->label);
  if (!own->version) own->version = common->version;
}

void sp_settle_sides(struct sp_scenario *scenario, const struct sp_check_context *check) {
  settle_stream(scenario, check);
  settle_model(&scenario->model);
  for (size_t i = 0; i < scenario->sides.n; i++) {
    settle_side_stream(scenario, side_at(scenario, i));
    settle_side_model(&scenario->model, &side_at(scenario, i)->model);
  }
}

// --- The scenario of a side ---

struct sp_scenario sp_scenario_of_side(const struct sp_scenario *scenario, const struct sp_side *side) {
  struct sp_scenario own = *scenario;
  if (side->stream.transport != SP_TRANSPORT_AUTO) {
    own.stream.transport = side->stream.transport;
    own.stream.broker = side->stream.broker;
  }
  if (side->model.dir) own.model = side->model;
  return own;
}

const char *sp_scenario_way(const struct sp_scenario *scenario, const struct sp_side *side) {
  const struct sp_scenario own = sp_scenario_of_side(scenario, side);
  return own.stream.transport == SP_TRANSPORT_KAFKA ? own.stream.broker : "direct";
}

bool sp_scenario_is_one_model(const struct sp_scenario *scenario, const struct sp_side *a,
                              const struct sp_side *b) {
  const struct sp_scenario left = sp_scenario_of_side(scenario, a), right = sp_scenario_of_side(scenario, b);
  char *one = NULL, *other = NULL;
  uint64_t version;
  bool is_one = sp_model_version_dir(&left.model, &version, &one, NULL) == SP_OK &&
                sp_model_version_dir(&right.model, &version, &other, NULL) == SP_OK &&
                strcmp(one, other) == 0;
  free(one);
  free(other);
  return is_one;
}
