// The verbs of the command line: one function per file of this folder, listed once here and tabled in main.c; and the options that --help of
// each prints, for the reference page.
#ifndef SP_CMD_VERBS_H
#define SP_CMD_VERBS_H

struct sp_cli_verb;
struct sp_option;

// Each takes the arguments from its own name on (argv[0] is the verb), prints to stdout what is asked for and everything
// else to stderr, and returns the process's exit code (DESIGN §4).
int sp_cmd_run(int argc, char **argv);
int sp_cmd_compare(int argc, char **argv);
int sp_cmd_search(int argc, char **argv);
int sp_cmd_gate(int argc, char **argv);
int sp_cmd_merge(int argc, char **argv);
int sp_cmd_verify(int argc, char **argv);
int sp_cmd_with(int argc, char **argv);
int sp_cmd_report(int argc, char **argv);
int sp_cmd_new(int argc, char **argv);
int sp_cmd_import(int argc, char **argv);
int sp_cmd_export(int argc, char **argv);
int sp_cmd_record(int argc, char **argv);
int sp_cmd_inspect(int argc, char **argv);
int sp_cmd_app(int argc, char **argv);
int sp_cmd_model_server(int argc, char **argv);
int sp_cmd_broker(int argc, char **argv);
int sp_cmd_doctor(int argc, char **argv);
int sp_cmd_reference(int argc,
                     char **argv);        // hidden: prints --help page, schema and reference from the tables
int sp_cmd_relay(int argc, char **argv);  // hidden: what tests break connections with
int sp_cmd_driver(int argc, char **argv); // hidden: the trial's child
int sp_cmd_topics(int argc, char **argv); // hidden: waits for a broker, makes, removes and lists topics

// Verbs that take a scenario: their own options, and which of the common ones they take.
extern const struct sp_cli_verb *const sp_cmd_run_verb;
extern const struct sp_cli_verb *const sp_cmd_verify_verb;
extern const struct sp_cli_verb *const sp_cmd_with_verb;
extern const struct sp_cli_verb *const sp_cmd_compare_verb;
extern const struct sp_cli_verb *const sp_cmd_search_verb;
extern const struct sp_cli_verb *const sp_cmd_gate_verb;
extern const struct sp_cli_verb *const sp_cmd_app_verb;
// All options of the others; each list ends with a zeroed one.
extern const struct sp_option *const sp_cmd_merge_options;
extern const struct sp_option *const sp_cmd_report_options;
extern const struct sp_option *const sp_cmd_new_options;
extern const struct sp_option *const sp_cmd_import_options;
extern const struct sp_option *const sp_cmd_export_options;
extern const struct sp_option *const sp_cmd_record_options;
extern const struct sp_option *const sp_cmd_inspect_options;
extern const struct sp_option *const sp_cmd_broker_options;
extern const struct sp_option *const sp_cmd_topics_options;
extern const struct sp_option *const sp_cmd_doctor_options;
// Partly made of the server's keys: on the first call, kept to the process's end. One thread.
const struct sp_option *sp_cmd_model_server_options(void);

#endif
