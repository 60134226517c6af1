"""Autoencoder 30-14-7-7-30 of ordinary card transactions; how badly it rebuilds one is that one's score."""

import keras_export as ke  # first: it sets TensorFlow's environment
import keras
import numpy as np
from keras import layers, ops

import fetch
from card import write_card
from fetch import N_FRAUD


def load():
    file = fetch.creditcard_csv()
    file.readline()
    table = np.loadtxt((line.replace(b'"', b"") for line in file), delimiter=",")
    i = np.arange(len(table))
    return table[:, :30].astype(np.float32), table[:, 30] == 1, i


def onnx_graph(model):
    layer = model.get_layer
    g = ke.Graph("fraud", "transaction", "float32", 30)
    mean = g.weight("normalise/mean", np.asarray(layer("normalise").mean, "f"))
    std = g.weight("normalise/std", np.sqrt(np.asarray(layer("normalise").variance, "f")))
    normal = g.node("Div", g.node("Sub", "transaction", mean), std)
    g.dense(layer("encode_1"), "Tanh")
    g.dense(layer("encode_2"), "Relu")
    g.dense(layer("decode_1"), "Tanh")
    g.dense(layer("decode_2"), to="reconstruction")
    off = g.node("Sub", normal, "reconstruction")
    g.node("ReduceMean", g.node("Mul", off, off), to="score", axes=[1], keepdims=1)
    g.output("reconstruction", 30)
    g.output("score", 1)
    return g


def main():
    x, is_fraud, i = load()
    usable = i >= N_FRAUD
    train = usable & ~is_fraud & (i % 5 != 4)
    held_out = usable & (is_fraud | (i % 5 == 4))
    ke.seed(7)
    mean, variance = x[train].mean(0, dtype=float), x[train].var(0, dtype=float)
    transaction = keras.Input((30,), dtype="float32", name="transaction")
    normal = layers.Normalization(mean=mean, variance=variance, name="normalise")(transaction)
    h = layers.Dense(14, "tanh", name="encode_1")(normal)
    h = layers.Dense(7, "relu", name="encode_2")(h)
    h = layers.Dense(7, "tanh", name="decode_1")(h)
    reconstruction = layers.Dense(30, name="decode_2")(h)
    score = ops.mean(ops.square(normal - reconstruction), axis=1, keepdims=True)
    trained = keras.Model(transaction, reconstruction)
    trained.compile("adam", "mse")
    trained.fit(x[train], ((x[train] - mean) / np.sqrt(variance)).astype("f"), batch_size=256, epochs=6, verbose=2)
    model = keras.Model(transaction, {"reconstruction": reconstruction, "score": score})
    value = model.predict(x[held_out], batch_size=4096, verbose=0)["score"][:, 0]
    auc = ke.auc(is_fraud[held_out], value)
    print(f"fraud: held-out AUC {auc:.4f}")
    assert auc >= 0.9
    ke.export(model, onnx_graph(model), ke.FIXTURES / "fraud/models/fraud/1")
    write_card("fraud", "fraud", [
        "Autoencoder 30-14-7-7-30 of ordinary card transactions.",
        "Input `transaction` float32 [N,30]: Time, V1..V28, Amount as in the file; the model normalises them itself.",
        "Outputs `reconstruction` float32 [N,30] (normalised units) and `score` float32 [N,1], its mean squared error.",
        f"Data: {fetch.origin('fraud')}; licence ODbL 1.0 / DbCL 1.0, ULB Machine Learning Group.",
        f"Training rows, counted from 0: i >= {N_FRAUD:,}, Class 0, i % 5 != 4 ({train.sum():,}); none is in fraud.sprec.",
        f"Held-out AUC of `score`: {auc:.3f} ({(held_out & ~is_fraud).sum():,} ordinary rows with i % 5 == 4 and all "
        f"{(held_out & is_fraud).sum()} frauds from row {N_FRAUD:,} on).",
    ])


if __name__ == "__main__":
    main()
