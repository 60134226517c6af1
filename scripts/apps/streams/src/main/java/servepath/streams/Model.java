package servepath.streams;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/** The model's one session, which all threads share, and the tensors that each of them calls it with. */
final class Model {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;

  /** One thread of the caller's computes: the stream threads are the parallelism. */
  Model(Path file) throws OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      options.setInterOpNumThreads(1);
      options.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
      session = environment.createSession(file.toString(), options);
    }
  }

  Rows rows(Case events, int most) {
    return new Rows(events, most);
  }

  /** Up to `most` rows and their scores in memory outside the heap, which the library reads and writes in place. */
  final class Rows implements AutoCloseable {
    private final Case events;
    private final FloatBuffer input;
    private final FloatBuffer scores;
    private final Call[] calls; // by number of rows less one: a tensor's shape is fixed

    private record Call(Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs) {}

    private Rows(Case events, int most) {
      this.events = events;
      input = floats(most * events.width());
      scores = floats(most);
      calls = new Call[most];
    }

    private static FloatBuffer floats(int n) {
      return ByteBuffer.allocateDirect(n * Float.BYTES).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    void decode(byte[] event, int row) throws Malformed {
      events.decode(event, input, row * events.width());
    }

    void predict(int n) throws OrtException {
      if (calls[n - 1] == null) calls[n - 1] = call(n);
      session.run(calls[n - 1].inputs(), Set.of(), calls[n - 1].outputs()).close();
    }

    private Call call(int n) throws OrtException {
      OnnxTensor rows = OnnxTensor.createTensor(environment, input.slice(0, n * events.width()), new long[] {n, events.width()});
      OnnxTensor score = OnnxTensor.createTensor(environment, scores.slice(0, n), new long[] {n, 1});
      return new Call(Map.of(events.input(), rows), Map.of(events.output(), score));
    }

    byte[] answer(int row) {
      return events.encode(scores.get(row));
    }

    @Override
    public void close() {
      for (Call call : calls) {
        if (call == null) continue;
        call.inputs().values().forEach(OnnxTensor::close);
        call.outputs().values().forEach(OnnxTensor::close);
      }
    }
  }
}
