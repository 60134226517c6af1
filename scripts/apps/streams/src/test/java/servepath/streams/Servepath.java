package servepath.streams;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * servepath as a fixture of JUnit tests: replays a scenario's recording through an application and gives what came back. Copy this file
 * into your tests; it needs Jackson alone. The binary is that of the system property servepath, of $SERVEPATH, or the one in the PATH.
 *
 * <p>Broker, topics and files of a call are its own, so tests may run in parallel.
 */
final class Servepath {
  /** How the events of one replay came out: counts.get("ok").asInt(); `report` says what to show where a test fails. */
  record Verified(int exitCode, JsonNode counts, String report) {
    int ok() {
      return counts.path("ok").asInt();
    }
  }

  private static final int AT_MOST_S = 60;
  private final List<String> command = new ArrayList<>();

  private Servepath(String scenario, String application) {
    command.addAll(List.of(binary(), "verify", scenario, "--app", application, "--json"));
  }

  /** application: a shell command, or a name of scripts/apps. It finds broker and topics in its environment. */
  static Servepath verify(String scenario, String application) {
    return new Servepath(scenario, application);
  }

  /** Only the recording's first n events. */
  Servepath limit(int n) {
    return with("--limit", Integer.toString(n));
  }

  /** A Kafka that runs, HOST:PORT; without it one is started for the call. */
  Servepath broker(String address) {
    return with("--broker", address);
  }

  /** Any other option of servepath verify. */
  Servepath with(String... options) {
    command.addAll(List.of(options));
    return this;
  }

  /** IOException where servepath could not do it: no broker, no such scenario, an application that does not start. */
  Verified run() throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("servepath");
    Path output = folder.resolve("out");
    Path errors = folder.resolve("err");
    try {
      with("--out", folder.resolve("result").toString());
      Process process = new ProcessBuilder(command).redirectOutput(output.toFile()).redirectError(errors.toFile()).start();
      process.getOutputStream().close();
      if (!process.waitFor(AT_MOST_S, TimeUnit.SECONDS)) process.destroy(); // it ends what it started
      int exitCode = process.waitFor();
      JsonNode result = new ObjectMapper().readTree(output.toFile());
      String said = Files.readString(errors);
      if (!"servepath.verify/1".equals(result.path("schema").asText())) {
        throw new IOException(String.join(" ", command) + " ended with " + exitCode + ": " + said.strip());
      }
      JsonNode side = result.path("sides").path(0);
      return new Verified(exitCode, side.path("counts"), side.path("cases").toPrettyString() + "\n" + said);
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
      }
    }
  }

  private static String binary() {
    String named = System.getProperty("servepath", System.getenv("SERVEPATH"));
    return named == null || named.isEmpty() ? "servepath" : named;
  }
}
