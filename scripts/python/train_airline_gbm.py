"""Gradient boosting, 10 trees of depth 5: will this flight arrive late?"""

import shutil

import numpy as np
import onnx
from onnx import helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import roc_auc_score

import airline_rows as data
import fetch
from card import write_card
from fetch import N_AIRLINE


def onnx_model(trained, width):
    """skl2onnx's ensemble, with the label dropped and the probability of a delay as the only output."""
    model = convert_sklearn(trained, initial_types=[("features", FloatTensorType([None, width]))], target_opset=17,
                            options={"zipmap": False})
    ensemble, = (n for n in model.graph.node if n.op_type == "TreeEnsembleClassifier")
    column = helper.make_tensor("column", onnx.TensorProto.INT64, [1], [1])
    both = ensemble.output[1]
    graph = helper.make_graph(
        [ensemble, helper.make_node("Gather", [both, "column"], ["probability"], axis=1)], "airline-gbm",
        [helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, ["N", width])],
        [helper.make_tensor_value_info("probability", onnx.TensorProto.FLOAT, ["N", 1])], [column])
    model = helper.make_model(graph, producer_name="servepath", ir_version=8, opset_imports=[
        helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)])
    onnx.checker.check_model(model)
    return model


def main():
    rows, usable, held_out, delayed = data.load()
    data.write_vocabularies(rows)
    x = np.stack([data.codes(rows, name)[0] if name in ("UniqueCarrier", "Origin", "Dest") else data.numbers(rows, name)
                  for name in data.GBM], 1).astype(np.float32)
    train = usable & ~held_out
    trained = GradientBoostingClassifier(n_estimators=10, max_depth=5, learning_rate=0.5, random_state=1)
    trained.fit(x[train], delayed[train])
    p = trained.predict_proba(x)[:, 1]
    auc = roc_auc_score(delayed[held_out], p[held_out])
    print(f"airline-gbm: held-out AUC {auc:.4f}")
    assert auc >= 0.65
    folder = data.FIXTURE / "models/airline-gbm/1"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(onnx_model(trained, x.shape[1]).SerializeToString(deterministic=True))
    write_card("airline", "airline-gbm", [
        "Gradient boosting, 10 trees of depth 5, learning rate 0.5: will this flight arrive late?",
        f"Input `features` float32 [N,{x.shape[1]}]: {', '.join(data.GBM)}; carrier, origin and destination as the line "
        "index in carriers.txt, origins.txt, dests.txt, an unknown one as the number of lines.",
        "Output `probability` float32 [N,1] of an arrival delay above 0 minutes. Nothing known only after departure goes in.",
        f"Data: {fetch.origin('airline')}; licence CC0 1.0.",
        f"Training rows: scheduled after the recording's {N_AIRLINE:,}, with an arrival delay ({train.sum():,}); {data.SPLIT} "
        f"({held_out.sum():,}).",
        f"Held-out AUC: {auc:.3f}. On the flights of airline.sprec, all in January: {recorded_auc(rows, delayed, p):.3f}.",
    ])


def recorded_auc(rows, delayed, p):
    landed = np.array([text != "NA" for text in data.texts(rows[:N_AIRLINE], "ArrDelay")])
    return roc_auc_score(delayed[:N_AIRLINE][landed], p[:N_AIRLINE][landed])


if __name__ == "__main__":
    main()
