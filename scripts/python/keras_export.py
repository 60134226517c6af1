"""What the three networks share: seeds, AUC, and the files of a version folder."""

import os
import shutil
import tempfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import onnx
import tensorflow as tf
from onnx import helper, numpy_helper

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


def seed(n):
    keras.utils.set_random_seed(n)
    tf.config.experimental.enable_op_determinism()


def auc(truth, score):
    """Area under the ROC curve: the chance that a positive ranks above a negative, ties counting half."""
    truth, score = np.asarray(truth, bool), np.asarray(score, float)
    _, inverse, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[inverse]
    n_pos, n_neg = truth.sum(), (~truth).sum()
    return (rank[truth].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)


class Graph:
    """An ONNX graph written out node by node, so that its tensors have names a reader (and a reference) can rely on."""

    def __init__(self, name, input_name, dtype, width):
        kind = {"float32": onnx.TensorProto.FLOAT, "int64": onnx.TensorProto.INT64}[dtype]
        self.name, self.nodes, self.weights, self.outputs = name, [], [], []
        self.inputs = [helper.make_tensor_value_info(input_name, kind, ["N", width])]
        self.last = input_name

    def weight(self, name, value):
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, op, *inputs, to=None, **attributes):
        """Adds op(inputs); what it makes becomes `last`."""
        self.last = to or f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [self.last], **attributes))
        return self.last

    def dense(self, layer, activation=None, to=None):
        """One Keras Dense layer on `last`; its weights become LAYER/kernel and LAYER/bias."""
        kernel, bias = (self.weight(f"{layer.name}/{part}", value)
                        for part, value in zip(("kernel", "bias"), layer.get_weights()))
        self.node("Gemm", self.last, kernel, bias, to=None if activation else to)
        return self.node(activation, self.last, to=to) if activation else self.last

    def output(self, name, width):
        self.outputs.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", width]))

    def save(self, path):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.weights)
        model = helper.make_model(graph, producer_name="servepath", ir_version=8,
                                  opset_imports=[helper.make_opsetid("", 17)])
        onnx.checker.check_model(model, full_check=True)
        Path(path).write_bytes(model.SerializeToString(deterministic=True))


def export(model, graph, folder):
    """Writes saved_model.pb, variables/ and model.onnx into an emptied version folder."""
    folder = Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as tmp:
        model.export(tmp, verbose=False)
        shutil.move(f"{tmp}/saved_model.pb", folder)
        shutil.move(f"{tmp}/variables", folder)
    graph.save(folder / "model.onnx")
