"""MLServer's runtime for an ONNX file, one thread."""

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class OnnxRuntime(MLModel):
    async def load(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            self.settings.parameters.uri, options, providers=["CPUExecutionProvider"])
        self.names = [output.name for output in self.session.get_outputs()]
        return True

    async def predict(self, payload):
        rows = {one.name: np.asarray(self.decode(one, default_codec=NumpyCodec), np.float32) for one in payload.inputs}
        names = [one.name for one in payload.outputs or []] or self.names
        answers = self.session.run(names, rows)
        outputs = [NumpyCodec.encode_output(name, answer) for name, answer in zip(names, answers)]
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=outputs)
