package servepath.streams;

import ai.onnxruntime.OrtException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** Answers the events of one partition. Key, headers and time of the event become those of its answer. */
final class Predictor implements Processor<byte[], byte[], byte[], byte[]> {
  private final Model.Rows rows;
  private final Ahead ahead; // null: an event at a time
  private ProcessorContext<byte[], byte[]> context;

  Predictor(Model model, Case events, int batch) {
    rows = model.rows(events, batch);
    ahead = batch > 1 ? new Ahead(batch) : null;
  }

  @Override
  public void init(ProcessorContext<byte[], byte[]> context) {
    this.context = context;
    if (ahead != null) ahead.polled = LookAhead.of(context.taskId().partition());
  }

  @Override
  public void process(Record<byte[], byte[]> event) {
    SamePartition.next(context.taskId().partition());
    try {
      byte[] answer = ahead == null ? null : ahead.answer(context.recordMetadata().orElseThrow().offset());
      context.forward(event.withValue(answer == null ? answerAlone(event.value()) : answer));
    } catch (Malformed malformed) {
      // Written too, so that it is not taken for lost: empty, with the reason as a header that servepath reads.
      byte[] outcome = ("malformed\0000\000" + malformed.getMessage()).getBytes(StandardCharsets.UTF_8);
      event.headers().add("sp-outcome", outcome);
      context.forward(event.withValue(new byte[0]));
    } catch (OrtException e) {
      throw new IllegalStateException("the model failed: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    if (ahead != null) ahead.polled.clear();
    rows.close();
  }

  private byte[] answerAlone(byte[] event) throws Malformed, OrtException {
    rows.decode(event, 0);
    rows.predict(1);
    return rows.answer(0);
  }

  /** Answers to the events that come next, made in one call of the model. */
  private final class Ahead {
    private final long[] offsets;
    private final byte[][] answers;
    private int at;
    private int n;
    private ArrayDeque<ConsumerRecord<byte[], byte[]>> polled;

    Ahead(int batch) {
      offsets = new long[batch];
      answers = new byte[batch][];
    }

    /** null: it must be answered by itself, because it is malformed or was not seen to come. */
    byte[] answer(long offset) throws OrtException {
      while (at < n && offsets[at] != offset) at++;
      if (at == n) fill(offset);
      return at < n && offsets[at] == offset ? answers[at++] : null;
    }

    private void fill(long offset) throws OrtException {
      at = n = 0;
      while (!polled.isEmpty() && polled.peek().offset() != offset) polled.poll();
      while (n < offsets.length && !polled.isEmpty()) {
        try {
          rows.decode(polled.peek().value(), n);
        } catch (Malformed malformed) {
          if (n == 0) polled.poll(); // its turn: read again by itself, and said
          break;
        }
        offsets[n++] = polled.poll().offset();
      }
      if (n == 0) return;
      rows.predict(n);
      for (int i = 0; i < n; i++) answers[i] = rows.answer(i);
    }
  }
}
