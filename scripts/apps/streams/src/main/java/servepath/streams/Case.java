package servepath.streams;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** How events of one case become a row of the model's input, and its score an answer. Used by one thread. */
interface Case {
  /** Elements of a row. */
  int width();

  /** Names of the model's input and of the output that is the score. */
  String input();

  String output();

  /** Writes the event's row from position `at` on. */
  void decode(byte[] event, FloatBuffer rows, int at) throws Malformed;

  byte[] encode(float score);

  static Case of(Settings settings) throws IOException, Settings.BadSetting {
    switch (settings.caseName()) {
      case "fraud":
        return new Fraud();
      case "airline":
        return new Airline(settings.scenario().toAbsolutePath().getParent());
      default:
        throw new Settings.BadSetting("SERVEPATH_CASE: \"" + settings.caseName() + "\" is unknown; airline and fraud are known");
    }
  }

  /** fixtures/fraud: a card transaction of 30 numbers and its class, which is not looked at. */
  final class Fraud implements Case {
    private static final int WIDTH = 30;
    private final CsvRow row = new CsvRow(WIDTH + 1);

    @Override
    public int width() {
      return WIDTH;
    }

    @Override
    public String input() {
      return "transaction";
    }

    @Override
    public String output() {
      return "score";
    }

    @Override
    public void decode(byte[] event, FloatBuffer rows, int at) throws Malformed {
      row.read(event);
      for (int i = 0; i < WIDTH; i++) rows.put(at + i, row.number(i, i == 0 ? "Time" : i == 29 ? "Amount" : "V" + i));
    }

    @Override
    public byte[] encode(float score) {
      return ("[" + score + "]").getBytes(StandardCharsets.ISO_8859_1);
    }
  }

  /** fixtures/airline: a flight before it starts; carrier and airports by their line in a vocabulary. */
  final class Airline implements Case {
    private record Column(int index, String name, Map<String, Integer> levels) {}

    private final CsvRow row = new CsvRow(31);
    private final List<Column> columns;

    Airline(Path folder) throws IOException {
      columns =
          List.of(
              new Column(1, "Month", null),
              new Column(2, "DayofMonth", null),
              new Column(3, "DayOfWeek", null),
              new Column(5, "CRSDepTime", null),
              new Column(7, "CRSArrTime", null),
              new Column(9, "FlightNum", null),
              new Column(8, "UniqueCarrier", vocabulary(folder.resolve("carriers.txt"))),
              new Column(16, "Origin", vocabulary(folder.resolve("origins.txt"))),
              new Column(17, "Dest", vocabulary(folder.resolve("dests.txt"))),
              new Column(18, "Distance", null));
    }

    private static Map<String, Integer> vocabulary(Path file) throws IOException {
      Map<String, Integer> levels = new HashMap<>();
      for (String level : Files.readAllLines(file)) levels.put(level, levels.size());
      return levels;
    }

    @Override
    public int width() {
      return columns.size();
    }

    @Override
    public String input() {
      return "features";
    }

    @Override
    public String output() {
      return "probability";
    }

    @Override
    public void decode(byte[] event, FloatBuffer rows, int at) throws Malformed {
      row.read(event);
      for (Column column : columns) {
        rows.put(at++, column.levels() == null ? row.number(column.index(), column.name()) : code(column));
      }
    }

    /** The level's line from 0 on; one code of its own behind them for all levels that are not listed. */
    private float code(Column column) throws Malformed {
      if (row.isMissing(column.index())) throw new Malformed("column " + column.name() + ": missing");
      return column.levels().getOrDefault(row.text(column.index()), column.levels().size());
    }

    @Override
    public byte[] encode(float score) {
      String label = score >= 0.5f ? "YES" : "NO";
      return ("Prediction: Is Airline delayed? => " + label + " (" + score + ")").getBytes(StandardCharsets.ISO_8859_1);
    }
  }
}
