// What `topics:` and `stream:` may say: Kafka topics, and which transport carries events.
#ifndef SP_STREAM_CONF_H
#define SP_STREAM_CONF_H

#include "base/conf.h"

enum sp_transport { SP_TRANSPORT_DIRECT };

struct sp_topics_conf {
  char *input;
  char *output;
  uint64_t partitions;
};
struct sp_stream_conf {
  int transport;        // enum sp_transport
  uint64_t fifo_events; // capacity of the direct FIFO: a full one sheds
};

extern const struct sp_table sp_topics_table; // struct sp_topics_conf
extern const struct sp_table sp_stream_table; // struct sp_stream_conf

#endif
