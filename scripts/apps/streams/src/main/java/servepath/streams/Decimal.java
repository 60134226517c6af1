package servepath.streams;

import java.nio.charset.StandardCharsets;

/**
 * Numbers read from bytes. Up to 18 digits that make less than 2^53, over a power of ten that a double holds exactly, is one
 * exact division (Clinger 1990); everything else is left to Double.parseDouble, which wants a String.
 */
final class Decimal {
  private static final double[] TENS = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
  };

  private Decimal() {}

  static float read(byte[] bytes, int start, int end, String name) throws Malformed {
    int at = start;
    boolean isNegative = at < end && bytes[at] == '-';
    if (isNegative) at++;
    long digits = 0;
    int count = 0;
    int point = -1;
    for (; at < end; at++) {
      int digit = bytes[at] - '0';
      if (digit >= 0 && digit <= 9 && count < 18) {
        digits = digits * 10 + digit;
        count++;
      } else if (bytes[at] == '.' && point < 0) {
        point = at;
      } else {
        return slow(bytes, start, end, name);
      }
    }
    if (count == 0 || digits >= 1L << 53) return slow(bytes, start, end, name);
    double value = point < 0 ? digits : digits / TENS[end - point - 1];
    return (float) (isNegative ? -value : value);
  }

  private static float slow(byte[] bytes, int start, int end, String name) throws Malformed {
    for (int at = start; at < end; at++) { // parseDouble knows more than decimal numbers: hexadecimal, NaN, 1f, spaces
      if ("0123456789+-.eE".indexOf(bytes[at]) < 0) throw new Malformed("column " + name + ": not a number");
    }
    try {
      return (float) Double.parseDouble(new String(bytes, start, end - start, StandardCharsets.ISO_8859_1));
    } catch (NumberFormatException e) {
      throw new Malformed("column " + name + ": not a number");
    }
  }
}
