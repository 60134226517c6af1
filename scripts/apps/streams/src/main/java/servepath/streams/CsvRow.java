package servepath.streams;

import java.nio.charset.StandardCharsets;

/**
 * One CSV record (RFC 4180) cut into fields without copying it: fields may be quoted, and quotes in them doubled. An instance
 * is used for one record after the other by one thread.
 */
final class CsvRow {
  private final int[] starts;
  private final int[] ends;
  private byte[] bytes;

  CsvRow(int columns) {
    starts = new int[columns];
    ends = new int[columns];
  }

  /** Takes the next record in. It must not change while its fields are read. */
  void read(byte[] record) throws Malformed {
    if (record == null) throw new Malformed("no value");
    bytes = record;
    int length = withoutLineEnd(record);
    int at = 0;
    for (int column = 0; ; column++) {
      if (column == starts.length) throw new Malformed("more than " + starts.length + " columns");
      at = at < length && record[at] == '"' ? quoted(column, at + 1, length) : bare(column, at, length);
      if (at == length) {
        if (column + 1 == starts.length) return;
        throw new Malformed((column + 1) + " columns instead of " + starts.length);
      }
      at++; // the comma; a record that ends in one has an empty field behind it
    }
  }

  private static int withoutLineEnd(byte[] record) {
    int length = record.length;
    if (length > 0 && record[length - 1] == '\n') length--;
    if (length > 0 && record[length - 1] == '\r') length--;
    return length;
  }

  private int bare(int column, int at, int length) {
    starts[column] = at;
    while (at < length && bytes[at] != ',') at++;
    ends[column] = at;
    return at;
  }

  private int quoted(int column, int at, int length) throws Malformed {
    starts[column] = at;
    int to = at;
    for (; at < length; at++, to++) {
      if (bytes[at] == '"') {
        boolean isDoubled = at + 1 < length && bytes[at + 1] == '"';
        if (!isDoubled) break;
        if (to == at) bytes = bytes.clone(); // what came over Kafka is not ours to change
        at++;
      }
      if (to != at) bytes[to] = bytes[at];
    }
    ends[column] = to;
    if (at == length || (at + 1 < length && bytes[at + 1] != ',')) throw new Malformed("not CSV: quotes");
    return at + 1;
  }

  String text(int column) {
    return new String(bytes, starts[column], ends[column] - starts[column], StandardCharsets.UTF_8);
  }

  boolean isMissing(int column) {
    int at = starts[column];
    int n = ends[column] - at;
    return n == 0 || (n == 2 && bytes[at] == 'N' && bytes[at + 1] == 'A');
  }

  float number(int column, String name) throws Malformed {
    if (isMissing(column)) throw new Malformed("column " + name + ": missing");
    return Decimal.read(bytes, starts[column], ends[column], name);
  }
}
