// What a result says of the machine it was measured on (DESIGN §3.14), and what disturbs measurements there.
#ifndef SP_OS_MACHINE_H
#define SP_OS_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "os/affinity.h"

// Unknown texts are "", unknown numbers 0 or -1 as said. No host name and no address: results are published.
struct sp_machine {
  char cpu_model[128];
  char architecture[32];   // "x86_64"
  unsigned n_cpus;         // online
  unsigned n_cpus_allowed; // affinity of this process
  char cpus_allowed[128];  // "0-1"
  uint64_t memory_bytes;
  char kernel[128];     // "6.1.0-18-amd64"
  char os[128];         // PRETTY_NAME of /etc/os-release
  char clocksource[32]; // "tsc"
  char hypervisor[64];  // "kvm", "microsoft", … or "" on bare metal
  char governor[32];    // of processor 0; "" where frequency is not ours to see
  char thp[32];         // transparent huge pages: "madvise"
  char boot_id[40];     // with time_namespace: whether two processes' clocks can be compared (DESIGN §3.5)
  char time_namespace[40];      // "time:[4026531834]"
  double cgroup_cpus;           // CPU quota in processors; -1: none
  uint64_t cgroup_memory_bytes; // limit; 0: none
  uint64_t max_open_files;      // soft limits
  uint64_t max_locked_bytes;    // UINT64_MAX: unlimited
  uint64_t max_processes;
  double load_1min; // when read
  // Of cpu_model, architecture, n_cpus, memory, kernel, os, hypervisor: equal for runs that may be compared.
  char fingerprint[SP_DIGEST_TEXT_BYTES];
};

void sp_machine_read(struct sp_machine *machine);

// CLOCK_REALTIME − CLOCK_MONOTONIC in ns: two readings that differ by more than slew allows show that a
// clock stepped.
int64_t sp_machine_clock_offset_ns(void);

#endif
