// The keys of the application loop and their defaults.
#include "app/conf.h"

// A row is a key.
// clang-format off

#define APP(field) offsetof(struct sp_app_conf, field)
static const struct sp_key app_keys[] = {
    {"threads", SP_KIND_COUNT, APP(threads), "1", NULL, NULL, "--threads", "workers of the application"},
    {"batch", SP_KIND_COUNT, APP(batch), "1", NULL, NULL, "--batch",
     "events predicted together: what waits, at most this many"},
    {"wait", SP_KIND_CHOICE, APP(wait), "park", "park spin hybrid", NULL, "--wait",
     "how waiting threads wait"},
    {"apps", SP_KIND_COUNT, APP(apps), "1", NULL, NULL, "--apps",
     "Kafka: application processes that share the topic as one group; 0: others start them"},
    {"order", SP_KIND_CHOICE, APP(order), "none", "none key", NULL, "--order",
     "key: answers to events of one key keep their order"},
    {"delivery", SP_KIND_CHOICE, APP(delivery), "at-least-once", "at-least-once exactly-once", NULL, "--delivery",
     "Kafka: exactly-once consumes, produces and commits in one transaction"},
    {"commit_interval", SP_KIND_DURATION, APP(commit_interval_ns), "100ms", NULL, NULL, "--commit-interval",
     "Kafka: time between commits of offsets or transactions"},
    {"group", SP_KIND_TEXT, APP(group), NULL, NULL, NULL, "--group",
     "Kafka: consumer group of the application; one of the run's own if absent"},
    {"app", SP_KIND_TEXT, APP(command), NULL, NULL, NULL, "--app",
     "Kafka: what answers in place of servepath app: a name of scripts/apps, or a shell command"},
    {"app_ready", SP_KIND_TEXT, APP(ready), "auto", NULL, NULL, "--app-ready",
     "when that is ready: auto (its line {\"ready\":true}, or its group holds every partition), line, or a duration to wait"},
    {"match", SP_KIND_CHOICE, APP(matching), "header", "header key payload order", NULL, "--match",
     "how its answers find their events: sp-id and sp-run in headers, the key, a field of both, or the order in a partition; except by header, a copy of an answer is taken for that to the next event like it"},
    {"match_input", SP_KIND_TEXT, APP(match_input), NULL, NULL, NULL, "--match-input",
     "match payload: the event's field, a JSON pointer or a CSV column"},
    {"match_output", SP_KIND_TEXT, APP(match_output), NULL, NULL, NULL, "--match-output",
     "match payload: the answer's field, a JSON pointer or the number of a CSV column from 0; as match_input if absent"},
    {"match_value", SP_KIND_TEXT, APP(match_value), NULL, NULL, NULL, "--match-value",
     "Kafka: where in an answer the prediction stands, a JSON pointer or the number of a CSV column from 0; all of it if absent"},
    {0},
};
const struct sp_table sp_app_table = {"application", app_keys, sizeof(struct sp_app_conf), NULL};
