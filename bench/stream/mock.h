// librdkafka's mock cluster on a free port of loopback, for `servepath broker`. Its limits (FACTS): latency is an artefact of
// its fetch timer, it keeps about 5 MB per partition and drops the oldest silently, topics are made only here.
#ifndef SP_STREAM_MOCK_H
#define SP_STREAM_MOCK_H

#include "base/err.h"

struct sp_mock;
enum sp_err sp_mock_new(struct sp_mock **mock, struct sp_error *error);
const char *sp_mock_address(const struct sp_mock *mock); // "127.0.0.1:41234"
enum sp_err sp_mock_topic(struct sp_mock *mock, const char *topic, int partitions, struct sp_error *error);
void sp_mock_free(struct sp_mock *mock);

#endif
