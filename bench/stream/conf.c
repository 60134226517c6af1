// The keys of `topics:` and `stream:`, those of a side that take the place of `stream:`, and their defaults.
#include "stream/conf.h"

// A row is a key.
// clang-format off

#define TOPICS(field) offsetof(struct sp_topics_conf, field)
static const struct sp_key topics_keys[] = {
    {"input", SP_KIND_TEXT, TOPICS(input), NULL, NULL, NULL, NULL, "topic that the application reads"},
    {"output", SP_KIND_TEXT, TOPICS(output), NULL, NULL, NULL, NULL, "topic that the application writes"},
    {"partitions", SP_KIND_COUNT, TOPICS(partitions), "3", NULL, NULL, NULL, "partitions of both topics"},
    {"reuse", SP_KIND_BOOL, TOPICS(reuse), "false", NULL, NULL, "--reuse-topics",
     "use the topics under these names even where they exist; otherwise the run makes topics of its own"},
    {0},
};
const struct sp_table sp_topics_table = {"topics", topics_keys, sizeof(struct sp_topics_conf), NULL};

#define STREAM(field) offsetof(struct sp_stream_conf, field)
static const struct sp_key stream_keys[] = {
    {"transport", SP_KIND_CHOICE, STREAM(transport), "auto", "auto direct kafka", NULL, "--transport",
     "how events reach the application; auto: kafka where a broker is named, otherwise direct"},
    {"broker", SP_KIND_TEXT, STREAM(broker), NULL, NULL, NULL, "--broker",
     "mock or kafka (started for the trial), or HOST:PORT of one that runs; mock if absent"},
    {"fifo", SP_KIND_COUNT, STREAM(fifo_events), "65536", NULL, NULL, "--fifo",
     "direct: events that may wait for a worker; beyond that they are shed"},
    {0},
};
const struct sp_table sp_stream_table = {"stream", stream_keys, sizeof(struct sp_stream_conf), NULL};

#define SIDE(field) offsetof(struct sp_side_stream_conf, field)
static const struct sp_key side_stream_keys[] = {
    {"transport", SP_KIND_CHOICE, SIDE(transport), "auto", "auto direct kafka", NULL, NULL,
     "how events reach this side's application, whatever stream.transport says; auto: kafka where the side names a broker, otherwise as stream.transport"},
    {"broker", SP_KIND_TEXT, SIDE(broker), NULL, NULL, NULL, NULL,
     "this side's broker, whatever stream.broker says: mock, kafka or HOST:PORT"},
    {0},
};
const struct sp_table sp_side_stream_table = {"stream", side_stream_keys, sizeof(struct sp_side_stream_conf), NULL};
