// The keys of `topics:` and `stream:` and their defaults.
#include "stream/conf.h"

// A row is a key.
// clang-format off

#define TOPICS(field) offsetof(struct sp_topics_conf, field)
static const struct sp_key topics_keys[] = {
    {"input", SP_KIND_TEXT, TOPICS(input), NULL, NULL, NULL, NULL, "topic that the application reads"},
    {"output", SP_KIND_TEXT, TOPICS(output), NULL, NULL, NULL, NULL, "topic that the application writes"},
    {"partitions", SP_KIND_COUNT, TOPICS(partitions), "3", NULL, NULL, NULL, "partitions of both topics"},
    {0},
};
const struct sp_table sp_topics_table = {"topics", topics_keys, sizeof(struct sp_topics_conf), NULL};

#define STREAM(field) offsetof(struct sp_stream_conf, field)
static const struct sp_key stream_keys[] = {
    {"transport", SP_KIND_CHOICE, STREAM(transport), "direct", "direct", NULL, "--transport",
     "how events reach the application"},
    {"fifo", SP_KIND_COUNT, STREAM(fifo_events), "65536", NULL, NULL, "--fifo",
     "direct: events that may wait for a worker; beyond that they are shed"},
    {0},
};
const struct sp_table sp_stream_table = {"stream", stream_keys, sizeof(struct sp_stream_conf), NULL};
