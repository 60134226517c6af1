package servepath.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class CsvRowTest {
  private static CsvRow row(int columns, String text) throws Malformed {
    CsvRow row = new CsvRow(columns);
    row.read(text.getBytes(StandardCharsets.UTF_8));
    return row;
  }

  @Test
  void fieldsMayBeQuoted() throws Malformed {
    CsvRow row = row(5, "a,\"b,c\",\"say \"\"no\"\" twice\",,\"0\"\r\n");
    assertEquals("a", row.text(0));
    assertEquals("b,c", row.text(1));
    assertEquals("say \"no\" twice", row.text(2));
    assertTrue(row.isMissing(3));
    assertEquals(0f, row.number(4, "x"));
  }

  @Test
  void theRecordItselfStaysAsItWas() throws Malformed {
    byte[] record = "\"a\"\"b\",1".getBytes(StandardCharsets.UTF_8);
    byte[] before = record.clone();
    CsvRow row = new CsvRow(2);
    row.read(record);
    assertEquals("a\"b", row.text(0));
    assertEquals(1f, row.number(1, "x"));
    assertEquals(new String(before), new String(record));
  }

  @Test
  void aLastFieldMayBeEmpty() throws Malformed {
    assertTrue(row(2, "1,").isMissing(1));
    assertTrue(row(2, "NA,1").isMissing(0));
  }

  @Test
  void whatIsNoRecordIsRefused() {
    for (String text : new String[] {"1", "1,2,3", "\"1,2", "\"1\"x,2", ""}) {
      assertThrows(Malformed.class, () -> row(2, text), text);
    }
    assertThrows(Malformed.class, () -> new CsvRow(2).read(null));
  }

  @Test
  void numbersAreTheNearest() throws Malformed {
    for (String text :
        new String[] {"0", "-1.3598071336738", "149.62", ".5", "-0", "+2", "1e-3", "12345678901234567890", "0.000000000000000012345"}) {
      assertEquals((float) Double.parseDouble(text), row(1, text).number(0, "x"), text);
    }
    for (String text : new String[] {"x", "-", "1f", "0x1p3", "NaN", " 1", "1..2", "NA", ""}) {
      assertThrows(Malformed.class, () -> row(1, text).number(0, "x"), text);
    }
  }
}
