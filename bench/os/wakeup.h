// How long an idle processor may take to wake up. Sleep saves power and costs the next event time, on a virtual machine up to a tenth of a
// millisecond, which every event of a program that waits most of the time pays.
#ifndef SP_OS_WAKEUP_H
#define SP_OS_WAKEUP_H

#include <stdint.h>

#include "base/err.h"

// Asks the kernel for at most latency_ns on all processors (PM QoS, Documentation/power/pm_qos_interface.rst; whole microseconds, rounded
// up; 0: they poll) until *fd is released or this process ends. Below 0 nothing is asked and *fd is -1.
// SP_ERR_ENVIRONMENT: this machine has no such device, or this user may not open it.
enum sp_err sp_wakeup_hold(int64_t latency_ns, int *fd, struct sp_error *error);
void sp_wakeup_release(int *fd); // -1 afterwards; -1 is allowed

#endif
