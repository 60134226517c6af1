// librdkafka's mock cluster on a free port of loopback, for `servepath broker`. Its limits (FACTS): latency is an artefact of
// its fetch timer, it keeps about 5 MB per partition and drops the oldest silently, topics are made only here (a client that
// asks for an unknown one by name gets one of 4 partitions).
#ifndef SP_STREAM_MOCK_H
#define SP_STREAM_MOCK_H

#include <stdint.h>

#include "base/err.h"

struct sp_mock;
// Blocks briefly; starts threads. SP_ERR_ENVIRONMENT: no port, no descriptors.
enum sp_err sp_mock_new(struct sp_mock **mock, struct sp_error *error);
const char *sp_mock_address(const struct sp_mock *mock); // "127.0.0.1:41234"
// SP_ERR_ENVIRONMENT: it exists, or the name or number is not possible.
enum sp_err sp_mock_topic(struct sp_mock *mock, const char *topic, int partitions, struct sp_error *error);
// Asks for the first offset of every partition, through a client of its own, and tells of each that lost messages since it was
// asked last. Blocks for as long as the cluster takes, milliseconds; one thread at a time.
typedef void sp_mock_dropped(void *context, const char *topic, int32_t partition, int64_t n_messages);
enum sp_err sp_mock_watch(struct sp_mock *mock, sp_mock_dropped *tell, void *context, struct sp_error *error);
void sp_mock_free(struct sp_mock *mock); // NULL is allowed

#endif
