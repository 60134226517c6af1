"""The models' arithmetic in float64, straight from the weights in model.onnx; no engine runs here.

Each function takes a version folder and gives a function from a batch of input tensors to the output tensor that the
scenarios check. The layers are spelled out, so that a wrong graph in model.onnx differs from its reference too.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper


def _weights(folder):
    graph = onnx.load(folder / "model.onnx").graph
    return {w.name: numpy_helper.to_array(w).astype(np.float64) for w in graph.initializer}


def _dense(w, name, x):
    return x @ w[f"{name}/kernel"] + w[f"{name}/bias"]


def _relu(x):
    return np.maximum(x, 0)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def fraud(folder):
    w = _weights(folder)

    def run(transaction):
        normal = (transaction.astype(np.float64) - w["normalise/mean"]) / w["normalise/std"]
        h = np.tanh(_dense(w, "encode_1", normal))
        h = _relu(_dense(w, "encode_2", h))
        h = np.tanh(_dense(w, "decode_1", h))
        return np.square(normal - _dense(w, "decode_2", h)).mean(1, keepdims=True)

    return run


def airline_gbm(folder):
    node = next(n for n in onnx.load(folder / "model.onnx").graph.node if n.op_type.startswith("TreeEnsemble"))
    a = {x.name: helper.get_attribute_value(x) for x in node.attribute}
    assert a["post_transform"] == b"LOGISTIC" and set(a["nodes_modes"]) == {b"BRANCH_LEQ", b"LEAF"}
    at = {key: i for i, key in enumerate(zip(a["nodes_treeids"], a["nodes_nodeids"]))}
    kind = next(k for k in ("class", "target") if f"{k}_weights" in a)
    leaf = dict(zip(zip(a[f"{kind}_treeids"], a[f"{kind}_nodeids"]), a[f"{kind}_weights"]))
    trees = sorted(set(a["nodes_treeids"]))
    base, = a["base_values"]

    def walk(x):
        total = float(base)
        for tree in trees:
            node = 0
            while (tree, node) not in leaf:
                i = at[tree, node]
                goes_left = x[a["nodes_featureids"][i]] <= np.float32(a["nodes_values"][i])
                node = a["nodes_truenodeids" if goes_left else "nodes_falsenodeids"][i]
            total += leaf[tree, node]
        return total

    return lambda features: _sigmoid(np.array([[walk(x)] for x in features]))


def airline_net(folder):
    w = _weights(folder)

    def run(features):
        normal = (features.astype(np.float64) - w["normalise/mean"]) / w["normalise/std"]
        h = _relu(_dense(w, "hidden_1", normal))
        h = _relu(_dense(w, "hidden_2", h))
        z = _dense(w, "classes", h)
        e = np.exp(z - z.max(1, keepdims=True))
        return (e / e.sum(1, keepdims=True))[:, 1:]

    return run


def tweet(folder):
    w = _weights(folder)

    def run(tokens):
        x = w["embedding"][tokens]                                                # N, 121, 100
        windows = np.lib.stride_tricks.sliding_window_view(x, 8, axis=1)          # N, 114, 100, 8
        h = np.einsum("ntcw,owc->nto", windows, w["conv/kernel"][:, 0], optimize=True)  # N, 114, 32
        h = _relu(h + w["conv/bias"])
        h = h.reshape(len(h), 57, 2, 32).max(2).reshape(len(h), 57 * 32)
        return _sigmoid(_dense(w, "out", _relu(_dense(w, "dense", h))))

    return run


MODELS = {"fraud": fraud, "airline-gbm": airline_gbm, "airline-net": airline_net, "tweet": tweet}
