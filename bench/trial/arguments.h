// The command lines of a trial's children: lists that own their texts.
#ifndef SP_TRIAL_ARGUMENTS_H
#define SP_TRIAL_ARGUMENTS_H

#include "trial/trial.h"

struct sp_arguments {
  char **items; // ends with NULL once something was added
  size_t n;
};

void sp_arguments_add(struct sp_arguments *arguments, char *owned); // from malloc; freed with the list
void sp_arguments_word(struct sp_arguments *arguments, const char *word);
void sp_arguments_pair(struct sp_arguments *arguments, const char *flag,
                       const char *value); // value NULL: neither of them
void sp_arguments_count(struct sp_arguments *arguments, const char *flag, long long count);
// `servepath VERB`, this program.
void sp_arguments_verb(struct sp_arguments *arguments, const char *verb);
// SCENARIO with the overlays and settings of the user's command line and of the plan, so that the child loads the same one.
void sp_arguments_scenario(struct sp_arguments *arguments, const struct sp_trial_plan *plan);
// Overlays and settings of the command line alone.
void sp_arguments_layers(struct sp_arguments *arguments, const struct sp_cli *cli);
// The sides as the user named them with their keys: all, or only that of the plan.
void sp_arguments_sides(struct sp_arguments *arguments, const struct sp_trial_plan *plan, bool only_own);
// NAME[,key=value...] of the side as the user named it, and that broker in place of the one that it names. From malloc.
char *sp_arguments_side(const struct sp_cli *cli, const struct sp_side *side, const char *broker);
void sp_arguments_done(struct sp_arguments *arguments);

#endif
