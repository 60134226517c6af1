"""One version of a SavedModel, run as tensorflow_model_server runs it: in a session, by the names of a signature. What cannot
be run is a Refusal, with that server's code and words."""
import grpc
import numpy as np

from session import ConfigProto, Graph, OpError, Session, SignatureDef, as_dtype, load

DEFAULT = "serving_default"
CODES = {code.value[0]: code for code in grpc.StatusCode}  # TensorFlow numbers its errors the same way


class Refusal(Exception):
    def __init__(self, code, text):
        super().__init__(" ".join(text.split()))
        self.code = code


def invalid(text):
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, text)


def names(tensors):
    return "{" + ",".join(sorted(tensors)) + "}"


class Model:
    def __init__(self, name, version, folder, n_threads):
        self.name, self.version = name, version
        config = ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=n_threads,
                             use_per_session_threads=True)
        self.session = Session(graph=Graph(), config=config)
        with self.session.graph.as_default():
            loaded = load(self.session, ["serve"], folder)
        self.signatures = {key: SignatureDef.FromString(signature.SerializeToString())
                           for key, signature in loaded.signature_def.items() if key != "__saved_model_init_op"}
        self.calls = {}  # what runs a signature with those inputs and outputs; two threads may both make one

    def predict(self, signature_name, inputs, outputs=()):
        """inputs: arrays by name. The outputs asked for, all where none is, as arrays by name."""
        signature = self.signatures.get(signature_name or DEFAULT)
        if not signature:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION,
                          f'Serving signature key "{signature_name or DEFAULT}" not found.')
        self.check_inputs(signature, inputs)
        wanted = tuple(outputs) or tuple(sorted(signature.outputs))
        for name in wanted:
            if name not in signature.outputs:
                raise invalid(f"output tensor alias not found in signature: {name} Outputs expected to be in the set "
                              f"{names(signature.outputs)}.")
        try:
            return dict(zip(wanted, self.call(signature_name, signature, tuple(inputs), wanted)(*inputs.values())))
        except OpError as error:
            raise Refusal(CODES[error.error_code], error.message) from None
        except (TypeError, ValueError) as error:
            raise invalid(str(error)) from None

    @staticmethod
    def check_inputs(signature, inputs):
        missing, extra = set(signature.inputs) - set(inputs), set(inputs) - set(signature.inputs)
        if len(signature.inputs) != len(inputs):
            raise invalid(f"input size does not match signature: {len(inputs)}!={len(signature.inputs)} len({names(inputs)}) "
                          f"!= len({names(signature.inputs)}). Sent extra: {names(extra)}. Missing but required: "
                          f"{names(missing)}.")
        for name in sorted(extra):
            raise invalid(f"input tensor alias not found in signature: {name}. Inputs expected to be in the set "
                          f"{names(signature.inputs)}.")
        for name, array in inputs.items():
            wanted = as_dtype(signature.inputs[name].dtype)
            if array.dtype != wanted.as_numpy_dtype:
                raise invalid(f"Expects arg[0] to be {wanted.name} but {array.dtype.name} is provided")

    def call(self, key, signature, inputs, outputs):
        known = self.calls.get((key, inputs, outputs))
        if not known:
            known = self.calls[key, inputs, outputs] = self.session.make_callable(
                [signature.outputs[name].name for name in outputs],
                feed_list=[signature.inputs[name].name for name in inputs])
        return known

    def array(self, signature_name, name, values):
        """JSON values as the array that input `name` wants."""
        signature = self.signatures.get(signature_name or DEFAULT)
        wanted = signature and signature.inputs.get(name)
        try:
            return np.array(values, as_dtype(wanted.dtype).as_numpy_dtype if wanted else None)
        except (TypeError, ValueError) as error:
            raise invalid(f"JSON of input {name} is no tensor: {error}") from None


class Models:
    def __init__(self, models):
        self.by_name = {model.name: model for model in models}

    def find(self, name, version=0, label=""):
        if not name:
            raise invalid("ModelSpec has no name specified.")
        model = self.by_name.get(name)
        if label:
            raise invalid(f"Unrecognized servable version label: {label}")
        if not model or version not in (0, model.version):
            which = f"Specific({name}, {version})" if version else f"Latest({name})"
            raise Refusal(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {which}")
        return model

    def find_status(self, name, version=0, label=""):
        try:
            return self.find(name, version, label)
        except Refusal as refusal:
            if refusal.code != grpc.StatusCode.NOT_FOUND:
                raise
            what = f"version {version}" if version and name in self.by_name else "any versions"
            raise Refusal(refusal.code, f"Could not find {what} of model {name}") from None
