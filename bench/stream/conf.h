// What `topics:` and `stream:` may say: Kafka topics, and which transport carries events.
#ifndef SP_STREAM_CONF_H
#define SP_STREAM_CONF_H

#include "base/conf.h"

enum sp_transport {
  SP_TRANSPORT_AUTO, // until the scenario is checked: kafka where a broker is named, otherwise direct
  SP_TRANSPORT_DIRECT,
  SP_TRANSPORT_KAFKA,
};

struct sp_topics_conf {
  char *input;
  char *output;
  uint64_t partitions;
  bool reuse; // existing topics may be used; otherwise names are the run's own: sp-RUN-NAME
};
struct sp_stream_conf {
  int transport; // enum sp_transport
  char *broker;  // "mock", "kafka" (both started for the trial) or "HOST:PORT[,HOST:PORT...]"; NULL: mock
  uint64_t fifo_events; // capacity of the direct FIFO: a full one sheds
};

// What a side may say of its own, in place of `stream:`.
struct sp_side_stream_conf {
  int transport; // enum sp_transport; auto: kafka where the side names a broker, otherwise what `stream:` says
  char *broker;  // as in `stream:`
};

extern const struct sp_table sp_topics_table;      // struct sp_topics_conf
extern const struct sp_table sp_side_stream_table; // struct sp_side_stream_conf
extern const struct sp_table sp_stream_table;      // struct sp_stream_conf

#endif
