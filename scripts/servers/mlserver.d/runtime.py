"""MLServer's runtime for a model.onnx."""

import _python
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse, MetadataTensor


class OnnxRuntime(MLModel):
    async def load(self):
        parameters = self.settings.parameters
        self.model = _python.Model(parameters.uri, parameters.extra["threads"])
        self.inputs = [MetadataTensor(name=t.name, datatype=t.datatype, shape=t.shape) for t in self.model.inputs]
        self.outputs = [MetadataTensor(name=t.name, datatype=t.datatype, shape=t.shape) for t in self.model.outputs]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        try:
            feed = {i.name: NumpyCodec.decode_input(i) for i in payload.inputs}
            answers = await self.model.predict(feed, [o.name for o in payload.outputs or []])
        except (_python.Refused, ValueError) as why:
            raise InferenceError(str(why)) from why
        return InferenceResponse(id=payload.id, model_name=self.name, model_version=self.version,
                                 outputs=[NumpyCodec.encode_output(t.name, value) for t, value in answers])
