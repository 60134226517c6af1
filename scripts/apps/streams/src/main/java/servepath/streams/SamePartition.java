package servepath.streams;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.streams.processor.StreamPartitioner;

/** An answer goes to its event's partition, also where there is no key; by itself Streams lets the producer choose. */
final class SamePartition implements StreamPartitioner<byte[], byte[]> {
  private static final ThreadLocal<int[]> current = ThreadLocal.withInitial(() -> new int[1]);
  private final List<Optional<Set<Integer>>> choices = new ArrayList<>();

  SamePartition(int partitions) {
    for (int i = 0; i < partitions; i++) choices.add(Optional.of(Set.of(i)));
  }

  /** What this thread forwards next comes from that partition. */
  static void next(int partition) {
    current.get()[0] = partition;
  }

  @Override
  public Optional<Set<Integer>> partitions(String topic, byte[] key, byte[] value, int numPartitions) {
    int partition = current.get()[0];
    return partition < numPartitions && partition < choices.size() ? choices.get(partition) : Optional.empty();
  }
}
