package servepath.streams;

import ai.onnxruntime.OrtException;
import java.io.IOException;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.AppInfoParser;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** The streaming application under test: input topic → model → output topic, without state. */
public final class Main {
  private static final Duration CLOSE_AT_MOST = Duration.ofSeconds(8);
  // A member that Streams gives no partition, because there are more threads than partitions, is ready all the same.
  private static final long IDLE_AFTER_NS = Duration.ofSeconds(5).toNanos();
  private static final long LOOK_EVERY_MS = 10;

  private Main() {}

  public static void main(String[] arguments) throws InterruptedException {
    Settings settings = null;
    Model model = null;
    try {
      settings = Settings.from(System.getenv());
      Case.of(settings); // every partition gets one of its own; whether that can be is known now
      model = new Model(settings.model());
    } catch (Settings.BadSetting e) {
      leave(64, e.getMessage());
    } catch (OrtException | IOException | UnsatisfiedLinkError e) {
      leave(3, "the model or a vocabulary cannot be loaded: " + e.getMessage());
    }
    run(settings, model);
  }

  private static void run(Settings settings, Model model) throws InterruptedException {
    KafkaStreams streams = new KafkaStreams(topology(settings, model), properties(settings));
    AtomicReference<String> failure = new AtomicReference<>();
    streams.setUncaughtExceptionHandler(
        e -> {
          failure.compareAndSet(null, lastCause(e));
          return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
    Runtime.getRuntime().addShutdownHook(new Thread(() -> close(streams)));
    streams.start();
    boolean isReady = false;
    long running = 0;
    while (!streams.state().hasCompletedShutdown()) {
      running = streams.state() == KafkaStreams.State.RUNNING ? running + LOOK_EVERY_MS : 0;
      if (!isReady && running > 0 && (holdsPartitions(streams) || running * 1_000_000 > IDLE_AFTER_NS)) {
        isReady = true;
        String library = "kafka-streams " + AppInfoParser.getVersion() + ", onnxruntime 1.28.0";
        System.out.println("{\"ready\":true,\"part\":\"app\",\"library\":\"" + library + "\"}");
      }
      Thread.sleep(LOOK_EVERY_MS);
    }
    // Also after SIGTERM, when the hook has the last word.
    if (failure.get() != null) leave(3, "Kafka Streams gave up: " + failure.get() + "; see the broker's log and SERVEPATH_BROKER");
  }

  private static boolean holdsPartitions(KafkaStreams streams) {
    return streams.metadataForLocalThreads().stream()
        .flatMap(thread -> thread.activeTasks().stream())
        .anyMatch(task -> !task.topicPartitions().isEmpty());
  }

  private static Topology topology(Settings settings, Model model) {
    Topology topology = new Topology();
    topology.addSource("events", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), settings.inputTopic());
    topology.addProcessor("predict", () -> new Predictor(model, newCase(settings), settings.batch()), "events");
    topology.addSink(
        "answers",
        settings.outputTopic(),
        Serdes.ByteArray().serializer(),
        Serdes.ByteArray().serializer(),
        new SamePartition(1024),
        "predict");
    return topology;
  }

  private static Case newCase(Settings settings) {
    try {
      return Case.of(settings);
    } catch (IOException | Settings.BadSetting e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
  }

  private static Properties properties(Settings settings) {
    Properties p = new Properties();
    p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, settings.broker());
    p.put(StreamsConfig.APPLICATION_ID_CONFIG, settings.group());
    p.put(StreamsConfig.CLIENT_ID_CONFIG, settings.group() + "-" + settings.member());
    p.put(StreamsConfig.STATE_DIR_CONFIG, settings.directory().resolve("state").toString());
    p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, settings.threads());
    p.put(
        StreamsConfig.PROCESSING_GUARANTEE_CONFIG, settings.exactlyOnce() ? StreamsConfig.EXACTLY_ONCE_V2 : StreamsConfig.AT_LEAST_ONCE);
    p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, settings.commitMs());
    p.put(StreamsConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    p.put(StreamsConfig.METRIC_REPORTER_CLASSES_CONFIG, "");
    p.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), settings.lingerMs());
    p.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 * 1024);
    p.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    p.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), settings.pollRecords());
    if (settings.batch() > 1) {
      p.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG), LookAhead.class.getName());
    }
    return p;
  }

  /** On SIGTERM: finishes what it holds, commits, and leaves the group, so that others get its partitions at once. */
  private static void close(KafkaStreams streams) {
    if (streams.state().hasCompletedShutdown()) return; // it failed; its exit code stands
    boolean isClosed =
        streams.close(
            CloseOptions.timeout(CLOSE_AT_MOST).withGroupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP));
    if (!isClosed) {
      System.err.println(
          "scripts/apps/streams: Kafka Streams did not close within " + CLOSE_AT_MOST.toSeconds() + " s; not all is committed");
      Runtime.getRuntime().halt(3);
    }
    Runtime.getRuntime().halt(0);
  }

  private static String lastCause(Throwable e) {
    while (e.getCause() != null) e = e.getCause();
    return String.valueOf(e.getMessage() == null ? e : e.getMessage()).replace('\n', ' ');
  }

  private static void leave(int code, String why) {
    System.err.println("scripts/apps/streams: " + why);
    System.exit(code);
  }
}
