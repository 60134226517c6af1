package servepath.streams;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** What the environment asks for. The names are those that every application of scripts/apps reads. */
record Settings(
    String broker,
    String inputTopic,
    String outputTopic,
    String group,
    int member,
    String caseName,
    Path scenario,
    Path model,
    int threads,
    int batch,
    boolean exactlyOnce,
    Path directory,
    int lingerMs,
    long commitMs,
    int pollRecords) {

  /** A setting that is missing or makes no sense; its message is one line for the user. */
  static final class BadSetting extends Exception {
    BadSetting(String message) {
      super(message);
    }
  }

  static Settings from(Map<String, String> environment) throws BadSetting {
    if (!environment.getOrDefault("SERVEPATH_SERVER", "").isEmpty()) {
      throw new BadSetting("SERVEPATH_SERVER: this application holds the model itself and asks no server; use path: embedded");
    }
    String delivery = environment.getOrDefault("SERVEPATH_DELIVERY", "at-least-once");
    boolean exactlyOnce = delivery.equals("exactly-once");
    if (!exactlyOnce && !delivery.equals("at-least-once")) {
      throw new BadSetting("SERVEPATH_DELIVERY: \"" + delivery + "\" is neither at-least-once nor exactly-once");
    }
    Path model = Path.of(text(environment, "SERVEPATH_MODEL"), "model.onnx");
    if (!Files.isReadable(model)) throw new BadSetting("SERVEPATH_MODEL: " + model + " cannot be read; name a version's folder");
    return new Settings(
        text(environment, "SERVEPATH_BROKER"),
        text(environment, "SERVEPATH_INPUT_TOPIC"),
        text(environment, "SERVEPATH_OUTPUT_TOPIC"),
        text(environment, "SERVEPATH_GROUP"),
        number(environment, "SERVEPATH_MEMBER", 1, 1),
        text(environment, "SERVEPATH_CASE"),
        Path.of(text(environment, "SERVEPATH_SCENARIO")),
        model,
        number(environment, "SERVEPATH_THREADS", 1, 1),
        number(environment, "SERVEPATH_BATCH", 1, 1),
        exactlyOnce,
        Path.of(text(environment, "SERVEPATH_DIR")),
        number(environment, "SERVEPATH_LINGER_MS", 0, 0),
        number(environment, "SERVEPATH_COMMIT_MS", exactlyOnce ? 100 : 30_000, 1),
        number(environment, "SERVEPATH_POLL_RECORDS", 5000, 1));
  }

  private static String text(Map<String, String> environment, String name) throws BadSetting {
    String value = environment.getOrDefault(name, "");
    if (value.isEmpty()) throw new BadSetting(name + " is not set; start this application by servepath --app streams");
    return value;
  }

  private static int number(Map<String, String> environment, String name, int absent, int least) throws BadSetting {
    String value = environment.getOrDefault(name, "");
    try {
      int number = value.isEmpty() ? absent : Integer.parseInt(value);
      if (number >= least) return number;
    } catch (NumberFormatException e) {
      // Said below, as for one that is too small.
    }
    throw new BadSetting(name + ": \"" + value + "\" is no whole number from " + least);
  }
}
