// Where results go that nobody named a folder for.
#ifndef SP_CMD_OUT_DIR_H
#define SP_CMD_OUT_DIR_H

// results/NAME-WHAT-TIME, with -2, -3, ... where that is taken, also by somebody else at this instant; made, if it can be: who writes
// there says why not. From malloc.
char *sp_out_dir_new(const char *name, const char *what);

#endif
