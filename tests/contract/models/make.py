"""Makes the small models of the engine's and the paths' tests: plain arithmetic that a test can do by hand.

usage: make.py        (needs Python with `onnx`, as scripts/train installs it; the models are committed)
"""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

HERE = Path(__file__).parent
FLOAT, INT64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING


def tensor(name, kind, *shape):
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name, kind, shape, values):
    return helper.make_tensor(name, kind, shape, values)


def save(name, nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, name, inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="servepath-tests")
    model.ir_version = 8
    onnx.checker.check_model(model)
    folder = HERE / name / "1"
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "model.onnx")


# sum = x0 + 10 x1 + 100 x2; twice = 2 x
save("affine", [helper.make_node("MatMul", ["x", "w"], ["sum"]), helper.make_node("Add", ["x", "x"], ["twice"])],
     [tensor("x", FLOAT, "N", 3)], [tensor("sum", FLOAT, "N", 1), tensor("twice", FLOAT, "N", 3)],
     [constant("w", FLOAT, [3, 1], [1, 10, 100])])
# total = whole number a + real number b, in that order; one output
save("two_inputs", [helper.make_node("Cast", ["a"], ["real"], to=FLOAT), helper.make_node("Add", ["real", "b"], ["total"])],
     [tensor("a", INT64, "N", 2), tensor("b", FLOAT, "N", 2)], [tensor("total", FLOAT, "N", 2)])
# one row at a time
save("single_row", [helper.make_node("Add", ["x", "x"], ["y"])], [tensor("x", FLOAT, 1, 3)], [tensor("y", FLOAT, 1, 3)])
# the width is not known
save("unknown_width", [helper.make_node("Add", ["x", "x"], ["y"])],
     [tensor("x", FLOAT, "N", "W")], [tensor("y", FLOAT, "N", "W")])
# not a type that a recording can hold
save("strings", [helper.make_node("Identity", ["x"], ["y"])], [tensor("x", STRING, "N", 1)], [tensor("y", STRING, "N", 1)])
# table[i] for i of 0, 1, 2: any other index fails when the model runs
save("gather", [helper.make_node("Gather", ["table", "i"], ["y"])], [tensor("i", INT64, "N", 1)],
     [tensor("y", FLOAT, "N", 1)], [constant("table", FLOAT, [3], [1.5, 2.5, 3.5])])
# twice = 2 x; rows = how many rows were run together, in each of them
save("together", [helper.make_node("Add", ["x", "x"], ["twice"]), helper.make_node("Shape", ["x"], ["shape"]),
                  helper.make_node("Gather", ["shape", "first"], ["n"]), helper.make_node("Cast", ["n"], ["real"], to=FLOAT),
                  helper.make_node("MatMul", ["x", "zeros"], ["nothing"]), helper.make_node("Add", ["nothing", "real"], ["rows"])],
     [tensor("x", FLOAT, "N", 3)], [tensor("rows", FLOAT, "N", 1), tensor("twice", FLOAT, "N", 3)],
     [constant("first", INT64, [], [0]), constant("zeros", FLOAT, [3, 1], [0, 0, 0])])
