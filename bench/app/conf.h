// What a side may say about the application loop.
#ifndef SP_APP_CONF_H
#define SP_APP_CONF_H

#include "base/conf.h"

// `wait` is enum sp_wait of base/gate.h.

enum sp_order {
  SP_ORDER_NONE, // answers may overtake each other
  SP_ORDER_KEY,  // answers to events of one key keep their order
};
// How an answer finds its event. Applications that others wrote may keep no headers of ours.
enum sp_matching {
  SP_MATCHING_HEADER,  // sp-id and sp-run, copied from the input
  SP_MATCHING_KEY,     // the first event sent with that key that has no answer yet
  SP_MATCHING_PAYLOAD, // the same, by a field of input and output
  SP_MATCHING_ORDER,   // the n-th answer of a partition is that to its n-th event; void after any loss
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
  char *
      command; // Kafka: what answers in place of `servepath app`; a name of scripts/apps, or a shell command; NULL: ours
  char *
      ready; // when it is: "auto" (its ready line, or its group holds every partition), "line", or a duration
  int matching;      // enum sp_matching
  char *match_input; // payload: JSON pointer, or CSV column of input.header, in the event
  // In the answer, JSON pointers or numbers of CSV columns from 0:
  char *match_output; // what match_input is in the event; NULL: at the same pointer
  char *match_value;  // the prediction; NULL: all of the answer
};
extern const struct sp_table sp_app_table; // struct sp_app_conf

#endif
