package servepath.streams;

/** An event that cannot be read. It is data, not a failure: no stack is kept. */
final class Malformed extends Exception {
  Malformed(String message) {
    super(message, null, false, false);
  }
}
