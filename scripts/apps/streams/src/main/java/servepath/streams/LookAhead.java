package servepath.streams;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Shows a processor the records that its thread has polled already and that come to it next. Kafka Streams hands over one record
 * at a time; a processor that holds records back to make a batch of them would have them committed before they are answered, since
 * Streams commits what was handed over. One that looks ahead predicts early, and answers each record when it is handed over.
 */
public final class LookAhead implements ConsumerInterceptor<byte[], byte[]> {
  // A stream thread polls and processes; nothing of this is seen by another.
  private static final ThreadLocal<Map<Integer, ArrayDeque<ConsumerRecord<byte[], byte[]>>>> polled =
      ThreadLocal.withInitial(HashMap::new);

  /** The records of that partition which this thread has polled, oldest first. The processor takes them out. */
  static ArrayDeque<ConsumerRecord<byte[], byte[]>> of(int partition) {
    return polled.get().computeIfAbsent(partition, p -> new ArrayDeque<>());
  }

  @Override
  public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> records) {
    for (TopicPartition partition : records.partitions()) of(partition.partition()).addAll(records.records(partition));
    return records;
  }

  @Override
  public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {}

  @Override
  public void configure(Map<String, ?> configs) {}

  @Override
  public void close() {}
}
