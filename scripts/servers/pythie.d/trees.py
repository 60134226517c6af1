"""An ONNX ensemble of trees as the LightGBM model that pythie-serving loads, with the same splits and the same leaves.
Usage: trees.py MODEL.onnx FOLDER NAME; writes FOLDER/NAME.pickled and FOLDER/metadata.json.

Inputs are named as LightGBM names columns: Column_0, Column_1, …"""
import json
import pickle
import sys
from pathlib import Path

import lightgbm
import onnx

NAN_GOES_RIGHT = 8  # decision_type: missing values are NaN, and no bit says that they go left, as ONNX's comparisons would have it


def refuse(text):
    sys.exit(f"{text}; pythie-serving is given ensembles of trees with a probability only, as fixtures/airline/models/airline-gbm")


def ensemble_of(path):
    graph = onnx.load(path).graph
    nodes = [node for node in graph.node if node.op_type == "TreeEnsembleClassifier"]
    others = sorted({node.op_type for node in graph.node} - {"TreeEnsembleClassifier", "Gather"})
    if len(nodes) != 1 or others:
        refuse(f"{path} holds {', '.join(others) or 'several ensembles'}")
    values = {a.name: onnx.helper.get_attribute_value(a) for a in nodes[0].attribute}
    if (values.get("post_transform") != b"LOGISTIC" or set(values["class_ids"]) - {values["class_ids"][0]}
            or set(values["nodes_modes"]) - {b"BRANCH_LEQ", b"LEAF"} or any(values.get("nodes_missing_value_tracks_true", ()))):
        refuse(f"{path}: trees of another kind than two classes, <= and a logistic sum")
    n_features = graph.input[0].type.tensor_type.shape.dim[1].dim_value
    return values, n_features


class Tree:
    """Nodes numbered as LightGBM does: splits by themselves, leaves by themselves; -1 - leaf where a child is a leaf."""

    def __init__(self, nodes, leaf_values, at_leaf):
        self.nodes, self.leaf_values, self.at_leaf = nodes, leaf_values, at_leaf
        self.features, self.thresholds, self.left, self.right, self.leaves = [], [], [], [], []
        self.place(0)

    def place(self, node):
        mode, feature, threshold, yes, no = self.nodes[node]
        if mode == b"LEAF":
            self.leaves.append(self.leaf_values[node] + self.at_leaf)
            return -len(self.leaves)
        split = len(self.features)
        self.features.append(feature)
        self.thresholds.append(threshold)
        self.left.append(0)
        self.right.append(0)
        self.left[split], self.right[split] = self.place(yes), self.place(no)
        return split

    def text(self, number):
        n_splits = len(self.features)
        rows = {"num_leaves": [len(self.leaves)], "num_cat": [0], "split_feature": self.features, "split_gain": [1] * n_splits,
                "threshold": self.thresholds, "decision_type": [NAN_GOES_RIGHT] * n_splits, "left_child": self.left,
                "right_child": self.right, "leaf_value": self.leaves, "is_linear": [0], "shrinkage": [1]}
        return f"Tree={number}\n" + "".join(f"{key}={' '.join(map(repr, row))}\n" for key, row in rows.items()) + "\n"


def trees_of(values):
    trees, leaves = {}, {}
    for i, tree in enumerate(values["nodes_treeids"]):
        trees.setdefault(tree, {})[values["nodes_nodeids"][i]] = (
            values["nodes_modes"][i], values["nodes_featureids"][i], values["nodes_values"][i],
            values["nodes_truenodeids"][i], values["nodes_falsenodeids"][i])
    for tree, node, weight in zip(values["class_treeids"], values["class_nodeids"], values["class_weights"]):
        leaves.setdefault(tree, {})[node] = weight
    base = values.get("base_values", [0.0])[0]
    return [Tree(trees[tree], leaves[tree], base if i == 0 else 0.0) for i, tree in enumerate(sorted(trees))]


def booster_of(path):
    values, n_features = ensemble_of(path)
    head = ["tree", "version=v3", "num_class=1", "num_tree_per_iteration=1", "label_index=0", f"max_feature_idx={n_features - 1}",
            "objective=binary sigmoid:1", "feature_names=" + " ".join(f"Column_{i}" for i in range(n_features)),
            "feature_infos=" + " ".join(["[0:1]"] * n_features), "", ""]
    text = "\n".join(head) + "".join(tree.text(i) for i, tree in enumerate(trees_of(values))) + "end of trees\n"
    return lightgbm.Booster(model_str=text)


def main():
    path, folder, name = sys.argv[1:]
    booster = booster_of(path)
    folder = Path(folder)
    folder.mkdir(parents=True)
    (folder / name).with_suffix(".pickled").write_bytes(pickle.dumps(booster))
    (folder / "metadata.json").write_text(json.dumps({"features": booster.feature_name()}))


main()
