"""Makes the affine model of make.py as TensorFlow writes it: affine_saved_model, affine_tflite.

usage: make_tensorflow.py        (needs Python with `tensorflow`, as scripts/train installs it; the models are committed)
"""

import shutil
import tempfile
from pathlib import Path

import tensorflow as tf

HERE = Path(__file__).parent


class Affine(tf.Module):
    def __init__(self):
        super().__init__()
        self.weights = tf.Variable([[1.0], [10.0], [100.0]])

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
    def __call__(self, x):
        return {"sum": tf.matmul(x, self.weights), "twice": x + x}


def folder(name):
    path = HERE / name / "1"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


model = Affine()
with tempfile.TemporaryDirectory() as saved:
    tf.saved_model.save(model, saved, signatures={"serving_default": model.__call__})
    to = folder("affine_saved_model")
    shutil.copy(Path(saved) / "saved_model.pb", to)
    shutil.copytree(Path(saved) / "variables", to / "variables")
    (folder("affine_tflite") / "model.tflite").write_bytes(tf.lite.TFLiteConverter.from_saved_model(saved).convert())
