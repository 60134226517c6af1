// With k = floor(t) + 1 and u = k - t in (0, 1]: Q(k - 1 - j), the chance of at most k - 1 - j waiting, times that of j more arrivals
// within u, summed over j (Franx). The sizes of the system come from the balance of flows across each size. All terms of both are
// positive, so nothing cancels, unlike in Crommelin's alternating series (1.108 at t = 30, utilisation 0.9).
#include "stats/queueing.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"

#define N_ARRIVALS 64 // P(more of them during one service) < 1e-88 for any utilisation below 1

// counts[j]: P(j arrivals); above[j]: P(more than j).
struct arrivals {
  double counts[N_ARRIVALS + 1], above[N_ARRIVALS + 1];
};

static void count_arrivals(double mean, struct arrivals *a) {
  a->counts[0] = exp(-mean);
  for (int j = 1; j <= N_ARRIVALS; j++) a->counts[j] = a->counts[j - 1] * mean / j;
  a->above[N_ARRIVALS] = 0;
  for (int j = N_ARRIVALS; j > 0; j--) a->above[j - 1] = a->above[j] + a->counts[j]; // small ones first
}

// P(j in the system) for j = 0..n: what crosses j upwards in one service crosses it downwards.
static double *system_sizes(double rho, size_t n) {
  struct arrivals a;
  count_arrivals(rho, &a);
  double *p = sp_alloc((n + 1) * sizeof *p);
  p[0] = 1 - rho;
  for (size_t j = 0; j < n; j++) {
    double up = j < N_ARRIVALS ? p[0] * a.above[j] : 0;
    size_t first = j + 1 > N_ARRIVALS ? j + 1 - N_ARRIVALS : 1;
    for (size_t i = first; i <= j; i++) up += p[i] * a.above[j - i + 1];
    p[j + 1] = up / a.counts[0];
  }
  return p;
}

double sp_md1_waits_at_most(double rho, double t) {
  SP_ASSERT(rho >= 0 && rho < 1);
  if (t < 0) return 0;
  if (rho == 0) return 1;
  size_t k = (size_t)t + 1;
  struct arrivals later;
  count_arrivals(rho * ((double)k - t), &later);
  double *at_most = system_sizes(rho, k); // becomes P(at most j in the system)
  for (size_t j = 1; j <= k; j++) at_most[j] += at_most[j - 1];
  double chance = 0;
  for (size_t j = 0; j < k && j <= N_ARRIVALS; j++) chance += later.counts[j] * at_most[k - j];
  free(at_most);
  return chance < 1 ? chance : 1;
}

double sp_md1_response(double rho, double q) {
  SP_ASSERT(q > 0 && q < 1);
  if (sp_md1_waits_at_most(rho, 0) >= q) return 1;
  double low = 0, high = 1;
  while (sp_md1_waits_at_most(rho, high) < q) high *= 2;
  while (high - low > 1e-12 * high) {
    double t = (low + high) / 2;
    if (t <= low || t >= high) break; // neighbours
    if (sp_md1_waits_at_most(rho, t) < q)
      low = t;
    else
      high = t;
  }
  return 1 + high;
}

double sp_md1_utilisation(double q, double bound) {
  SP_ASSERT(q > 0 && q < 1);
  if (bound < 1) return 0;
  double low = 0, high = 1;
  for (int i = 0; i < 50; i++) {
    double rho = (low + high) / 2;
    if (sp_md1_waits_at_most(rho, bound - 1) >= q)
      low = rho;
    else
      high = rho;
  }
  return low;
}
