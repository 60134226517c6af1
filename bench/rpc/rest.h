// A protocol that model servers speak over HTTP/1.1 with JSON: the client's half behind one table. One file each, listed in
// rest_client.c.
#ifndef SP_RPC_REST_H
#define SP_RPC_REST_H

#include "rpc/rest_link.h"
#include "rpc/rpc.h"
#include "rpc/signature.h"

struct sp_rest_protocol {
  const char *name;
  // Waits until the server is there, asks about env's model and fills *server (all empty before) with what it says of itself.
  // *is_described: *signature is the model's; otherwise the server tells nothing of it.
  // env->model_version becomes 0 where the server says that its models have no versions.
  // SP_ERR_ENVIRONMENT: not reached, or model or version unknown.
  enum sp_err (*describe)(struct sp_rpc_env *env, const struct sp_rest_link *link,
                          struct sp_rpc_server_facts *server, struct sp_signature *signature,
                          bool *is_described, struct sp_error *error);
  char *(*predict_path)(const struct sp_rpc_env *env); // from malloc
  // A request for the first n_rows rows. output: the name of the one wanted, "" for any. Returns its bytes, at most
  // body_bound's of as many rows.
  size_t (*body_bound)(const struct sp_tensor_spec *inputs, size_t n_inputs, const char *output,
                       size_t n_rows);
  size_t (*write_body)(const struct sp_tensor *inputs, size_t n_inputs, const char *output, size_t n_rows,
                       uint8_t *to);
  // Copies n_rows rows of output->spec out of a reply. False with what is wrong with it in text.
  bool (*read_reply)(struct sp_bytes reply, struct sp_tensor *output, size_t n_rows, char *text,
                     size_t n_text);
  // The outputs of a reply to one row of zeros, for a server that describes nothing. False with what is wrong in text.
  bool (*read_outputs)(struct sp_bytes reply, const char *output, struct sp_signature *signature, char *text,
                       size_t n_text);
};

extern const struct sp_rest_protocol sp_rest_tfs;
extern const struct sp_rest_protocol sp_rest_kserve;

// What an answer with that status was (DESIGN §2), as gRPC's codes are mapped: 2xx NONE; 408 and 504 deadline; 429 and
// the other 4xx rejected; 502 and 503 unavailable; all else error.
enum sp_outcome sp_rest_status_outcome(int status);
// The same of a transfer that did not end with an answer.
enum sp_outcome sp_rest_transfer_outcome(CURLcode ended);

// After describe: compares with env's inputs and chooses the output; where the server does not describe its model, asks for
// one prediction of zeros. env->model_version as in describe: paths are made of env after this.
enum sp_err sp_rest_agree(const struct sp_rest_protocol *protocol, struct sp_rpc_env *env,
                          const struct sp_rest_link *link, struct sp_rpc_server_facts *server,
                          struct sp_tensor_spec *output, struct sp_error *error);

#endif
