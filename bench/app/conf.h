// What a side may say about the application loop.
#ifndef SP_APP_CONF_H
#define SP_APP_CONF_H

#include "base/conf.h"

// `wait` is enum sp_wait of base/gate.h.

enum sp_order {
  SP_ORDER_NONE, // answers may overtake each other
  SP_ORDER_KEY,  // answers to events of one key keep their order
};
enum sp_delivery_mode { SP_DELIVERY_AT_LEAST_ONCE, SP_DELIVERY_EXACTLY_ONCE };

struct sp_app_conf {
  uint64_t threads;           // workers
  uint64_t batch;             // take what waits, at most so many
  int wait;                   // enum sp_wait (base/gate.h)
  uint64_t apps;              // Kafka: application processes in one consumer group
  int order;                  // enum sp_order
  int delivery;               // enum sp_delivery_mode
  int64_t commit_interval_ns; // Kafka: between commits of offsets, or of transactions
  char *group;                // Kafka: consumer group; NULL: one of the run's own
};
extern const struct sp_table sp_app_table; // struct sp_app_conf

#endif
