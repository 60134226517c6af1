"""A network 200-200-softmax on one-hot and numeric columns: will this flight arrive late?"""

import keras_export as ke  # first: it sets TensorFlow's environment
import keras
import numpy as np
from keras import layers

import airline_rows as data
import fetch
from card import write_card
from fetch import N_AIRLINE

NUMERIC = ["CRSDepTime", "CRSArrTime", "DayofMonth", "FlightNum", "Distance"]
ONE_HOT = ["Month", "DayOfWeek", "UniqueCarrier", "Origin", "Dest"]
WITH_UNKNOWN = {"UniqueCarrier", "Origin", "Dest"}


def features(rows):
    """([n, K] float32, the slices of the columns that have a slot for unknown)."""
    parts, unknown, at = [data.numbers(rows, name)[:, None] for name in NUMERIC], [], len(NUMERIC)
    for name in ONE_HOT:
        code, n = data.codes(rows, name)
        width = n + (name in WITH_UNKNOWN)
        parts.append(np.eye(width, dtype=np.float32)[code])
        if name in WITH_UNKNOWN:
            unknown.append(slice(at, at + width))
        at += width
    return np.concatenate(parts, 1).astype(np.float32), unknown


def forget_some(x, unknown):
    """Turns 1 in 50 levels into unknown, so that the slot for unknown is trained."""
    x, chance = x.copy(), np.random.default_rng(5)
    for columns in unknown:
        rows = chance.random(len(x)) < 0.02
        x[rows, columns] = np.eye(columns.stop - columns.start, dtype=np.float32)[-1]
    return x


def onnx_graph(model, width):
    layer = model.get_layer
    g = ke.Graph("airline-net", "features", "float32", width)
    mean = g.weight("normalise/mean", np.asarray(layer("normalise").mean, "f"))
    std = g.weight("normalise/std", np.sqrt(np.asarray(layer("normalise").variance, "f")))
    g.node("Div", g.node("Sub", "features", mean), std)
    g.dense(layer("hidden_1"), "Relu")
    g.dense(layer("hidden_2"), "Relu")
    g.dense(layer("classes"))
    g.node("Softmax", g.last, axis=1)
    g.node("Gather", g.last, g.weight("column", np.array([1])), to="probability", axis=1)
    g.output("probability", 1)
    return g


def main():
    rows, usable, held_out, delayed = data.load()
    x, unknown = features(rows)
    width, train = x.shape[1], usable & ~held_out
    ke.seed(11)
    mean, variance = np.zeros(width), np.ones(width)
    n = len(NUMERIC)
    mean[:n], variance[:n] = x[train, :n].mean(0, dtype=float), x[train, :n].var(0, dtype=float)
    inputs = keras.Input((width,), dtype="float32", name="features")
    h = layers.Normalization(mean=mean, variance=variance, name="normalise")(inputs)
    h = layers.Dense(200, "relu", name="hidden_1", kernel_regularizer=keras.regularizers.l2(1e-5))(h)
    h = layers.Dense(200, "relu", name="hidden_2", kernel_regularizer=keras.regularizers.l2(1e-5))(h)
    both = layers.Dense(2, "softmax", name="classes")(h)
    model = keras.Model(inputs, {"probability": both[:, 1:]})
    trained = keras.Model(inputs, both)
    trained.compile(keras.optimizers.Adam(3e-4), "sparse_categorical_crossentropy")
    trained.fit(forget_some(x[train], unknown), delayed[train].astype("i"), batch_size=512, epochs=4, verbose=2)
    p = model.predict(x, batch_size=4096, verbose=0)["probability"][:, 0]
    auc = ke.auc(delayed[held_out], p[held_out])
    landed = np.array([text != "NA" for text in data.texts(rows, "ArrDelay")])[:N_AIRLINE]
    recorded = ke.auc(delayed[:N_AIRLINE][landed], p[:N_AIRLINE][landed])
    print(f"airline-net: held-out AUC {auc:.4f}, recording {recorded:.4f}, {width} columns")
    assert auc >= 0.65
    ke.export(model, onnx_graph(model, width), data.FIXTURE / "models/airline-net/1")
    write_card("airline", "airline-net", [
        "Network 200-200-softmax 2: will this flight arrive late?",
        f"Input `features` float32 [N,{width}]: {', '.join(NUMERIC)}, then one-hot {', '.join(ONE_HOT)} (levels in months.txt, "
        "weekdays.txt, carriers.txt, origins.txt, dests.txt; the last three have one more slot, for unknown).",
        "Output `probability` float32 [N,1] of an arrival delay above 0 minutes. Nothing known only after departure goes in.",
        f"Data: {fetch.origin('airline')}; licence CC0 1.0.",
        f"Training rows: scheduled after the recording's {N_AIRLINE:,}, with an arrival delay ({train.sum():,}), 1 in 50 of the "
        f"levels made unknown; {data.SPLIT} ({held_out.sum():,}).",
        f"Held-out AUC: {auc:.3f}. On the flights of airline.sprec, all in January: {recorded:.3f}.",
    ])


if __name__ == "__main__":
    main()
