// A mock cluster with a pair of topics for each test, and plain clients of the test's own.
#ifndef SP_TESTS_KAFKA_BED_H
#define SP_TESTS_KAFKA_BED_H

#include <librdkafka/rdkafka.h>

#include "stream/mock.h"

#define N_PARTITIONS 3 // of both topics

extern struct sp_mock *mock;
extern char input[32], output[32], group[32]; // of the test that runs

// cmocka's group set-up and tear-down; make_topics: set-up of each test.
int start_mock(void **state);
int end_mock(void **state);
int make_topics(void **state);

// of_group: of a consumer; NULL: none.
rd_kafka_t *client(rd_kafka_type_t type, const char *of_group);

#endif
