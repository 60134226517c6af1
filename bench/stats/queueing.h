// What queueing theory says about a server of fixed service time D and Poisson arrivals (M/D/1): the truth that searches are
// checked with. Pure; any thread.
#ifndef SP_STATS_QUEUEING_H
#define SP_STATS_QUEUEING_H

// P(waiting time <= t) at utilisation rho in [0, 1), t in units of D: Crommelin's series (Delay probability formulae, Post Office
// Electrical Engineers Journal 26, 1934) in Franx's form without cancellation (A simple solution for the M/D/c waiting time distribution,
// Operations Research Letters 29, 2001, 221-229) for c = 1. O(t); good to 1e-12 or better.
double sp_md1_waits_at_most(double rho, double t);
// The response time (waiting + service), in units of D, that a share q of events does not exceed.
double sp_md1_response(double rho, double q);
// The largest utilisation at which sp_md1_response(rho, q) <= bound; 0 for bound < 1. For q 0.99 and bound 10: 0.7735.
double sp_md1_utilisation(double q, double bound);

#endif
