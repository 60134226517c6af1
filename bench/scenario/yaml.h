// YAML text -> tree. The only file that knows libfyaml.
#ifndef SP_SCENARIO_YAML_H
#define SP_SCENARIO_YAML_H

#include "base/bytes.h"
#include "scenario/tree.h"

#define SP_YAML_BYTES_MAX   (1 << 20)
#define SP_YAML_NODES_MAX   20000 // with what aliases repeat
#define SP_YAML_ANCHORS_MAX 256
#define SP_YAML_DEPTH_MAX   32

// One document. SP_ERR_USAGE at its place: bad YAML, duplicate keys, keys that are no scalars, tags, aliases of nothing, a
// second document, bytes that are no text, more than the limits above. An empty document is an empty mapping.
enum sp_err sp_yaml_parse(const struct sp_origin *origin, struct sp_bytes text, struct sp_node **root,
                          struct sp_error *error);

// UTF-8 without control characters but tab and line ends, as sp_yaml_parse wants it.
bool sp_yaml_is_text(struct sp_bytes text);

#endif
