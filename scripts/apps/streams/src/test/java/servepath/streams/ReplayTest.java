package servepath.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The application as it is deployed, between real topics: each of its answers is the model's. */
class ReplayTest {
  private static final int EVENTS = 200;
  private static final String FIXTURES = System.getProperty("fixtures", "fixtures");
  private static final String APPLICATION = System.getProperty("application", "scripts/apps/streams/run");

  private static Servepath replay(String name, String application) {
    Servepath replay = Servepath.verify(FIXTURES + "/" + name, application).limit(EVENTS);
    String broker = System.getProperty("broker", "");
    return broker.isEmpty() ? replay : replay.broker(broker);
  }

  @ParameterizedTest
  @CsvSource({"fraud, 1", "airline, 16"})
  void everyAnswerIsTheModels(String name, int batch) throws Exception {
    Servepath.Verified verified = replay(name, APPLICATION).with("--side", "embedded,batch=" + batch).run();
    assertEquals(EVENTS, verified.ok(), verified::report);
    assertEquals(0, verified.exitCode(), verified::report);
  }

  @Test
  void anApplicationThatEndsIsNamed() {
    IOException e = assertThrows(IOException.class, () -> replay("fraud", "exit 7").run());
    assertTrue(e.getMessage().contains("exit 7"), e.getMessage());
  }
}
