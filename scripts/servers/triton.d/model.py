"""What Triton's Python backend runs: model.onnx by ONNX Runtime, one thread a run. Requests that Triton gathered are run as
one batch."""

import json

import numpy
import onnxruntime
import triton_python_backend_utils as backend


def to_model(tensor):
    """Triton gives text as bytes, ONNX Runtime takes str."""
    array = tensor.as_numpy()
    return array.astype(str).astype(object) if array.dtype == object else array


def to_triton(array):
    return numpy.char.encode(array.astype(str), "utf-8").astype(object) if array.dtype == object else array


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        self.session = onnxruntime.InferenceSession(config["parameters"]["model"]["string_value"], options,
                                                    providers=["CPUExecutionProvider"])
        self.inputs = [i["name"] for i in config["input"]]
        self.outputs = [o["name"] for o in config["output"]]

    def predict(self, feed, names):
        return dict(zip(names, self.session.run(names, feed)))

    def execute(self, requests):
        feeds = [{name: to_model(backend.get_input_tensor_by_name(r, name)) for name in self.inputs} for r in requests]
        names = [[n for n in self.outputs if n in r.requested_output_names()] or self.outputs for r in requests]
        try:
            answers = self.predict_together(feeds) if len(feeds) > 1 else [self.predict(feeds[0], names[0])]
        except Exception as why:  # what the model refuses is the client's answer, not the end of the backend
            error = backend.TritonError(" ".join(str(why).split()))
            return [backend.InferenceResponse(error=error) for _ in requests]
        return [backend.InferenceResponse([backend.Tensor(n, to_triton(answer[n])) for n in wanted])
                for answer, wanted in zip(answers, names)]

    def predict_together(self, feeds):
        """Only gathered requests come in numbers, and these have their rows along the first dimension."""
        rows = [len(feed[self.inputs[0]]) for feed in feeds]
        together = self.predict({n: numpy.concatenate([feed[n] for feed in feeds]) for n in self.inputs}, self.outputs)
        ends = numpy.cumsum(rows)
        return [{n: together[n][end - count:end] for n in self.outputs} for end, count in zip(ends, rows)]
