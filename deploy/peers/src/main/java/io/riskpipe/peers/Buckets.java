package io.riskpipe.peers;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** Amounts by hour or day, the oldest first; those that left the window of the newest one are forgotten. */
final class Buckets {
    private final int window;
    int[] at = new int[4];
    int[] amounts = new int[4];
    int size;

    Buckets(int window) {
        this.window = window;
    }

    /** Adds to a bucket; what is older than the window is late and counts for nothing. */
    void add(int bucket, int amount) {
        if (size > 0 && bucket <= at[size - 1] - window) {
            return;
        }
        int i = size;
        while (i > 0 && at[i - 1] > bucket) {
            i--;
        }
        if (i > 0 && at[i - 1] == bucket) {
            amounts[i - 1] += amount;
            return;
        }
        insert(i, bucket, amount);
        int old = 0;
        while (at[old] <= at[size - 1] - window) {
            old++;
        }
        if (old > 0) {
            System.arraycopy(at, old, at, 0, size - old);
            System.arraycopy(amounts, old, amounts, 0, size - old);
            size -= old;
        }
    }

    private void insert(int i, int bucket, int amount) {
        if (size == at.length) {
            at = Arrays.copyOf(at, 2 * size);
            amounts = Arrays.copyOf(amounts, 2 * size);
        }
        System.arraycopy(at, i, at, i + 1, size - i);
        System.arraycopy(amounts, i, amounts, i + 1, size - i);
        at[i] = bucket;
        amounts[i] = amount;
        size++;
    }

    /** What lies in the window that ends with a bucket. */
    int sum(int last) {
        int sum = 0;
        for (int i = 0; i < size; i++) {
            if (at[i] > last - window && at[i] <= last) {
                sum += amounts[i];
            }
        }
        return sum;
    }

    void write(ByteBuffer out) {
        Varint.write(out, size);
        int previous = 0;
        for (int i = 0; i < size; i++) {
            Varint.write(out, at[i] - previous);
            Varint.write(out, amounts[i]);
            previous = at[i];
        }
    }

    static Buckets read(ByteBuffer in, int window) {
        Buckets b = new Buckets(window);
        b.size = Varint.read(in);
        b.at = new int[Math.max(b.size, 4)];
        b.amounts = new int[b.at.length];
        int previous = 0;
        for (int i = 0; i < b.size; i++) {
            b.at[i] = previous += Varint.read(in);
            b.amounts[i] = Varint.read(in);
        }
        return b;
    }
}
