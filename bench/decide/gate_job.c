#include "decide/gate_job.h"

#include <stdlib.h>

void sp_gate_job_done(struct sp_gate_job *job) {
  sp_comparison_free(job->comparison);
  free(job->trials);
  free(job->margins_text);
  free(job->unannounced);
  sp_comparison_free(job->earlier);
  sp_pairs_done(&job->pairs);
  sp_pairs_done(&job->fresh);
  sp_stored_done(&job->base);
  sp_stored_done(&job->candidate);
  sp_calibration_done(&job->calibration);
  *job = (struct sp_gate_job){0};
}
