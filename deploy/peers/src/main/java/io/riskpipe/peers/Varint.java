package io.riskpipe.peers;

import java.nio.ByteBuffer;

/** Integers in as few bytes as they need, seven bits each; negative ones take five. */
final class Varint {
    static final int MAX_BYTES = 5;

    private Varint() {}

    static void write(ByteBuffer out, int value) {
        while ((value & ~0x7f) != 0) {
            out.put((byte) (value | 0x80));
            value >>>= 7;
        }
        out.put((byte) value);
    }

    static int read(ByteBuffer in) {
        int value = 0;
        for (int shift = 0; ; shift += 7) {
            byte b = in.get();
            value |= (b & 0x7f) << shift;
            if (b >= 0) {
                return value;
            }
        }
    }
}
