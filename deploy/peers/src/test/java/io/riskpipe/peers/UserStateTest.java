package io.riskpipe.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Random;
import org.junit.jupiter.api.Test;

class UserStateTest {
    private static final long DAY = 24 * 3_600_000L;

    @Test
    void stateIsReadBackAsItWasWritten() {
        Random random = new Random(1);
        UserState state = new UserState();
        for (int i = 0; i < 2000; i++) {
            state.count(random.nextInt(12) - 6, random.nextLong(200 * DAY), 1 + random.nextInt(1000));
            state.level = i % 4;
            byte[] bytes = state.toBytes();
            UserState back = UserState.fromBytes(bytes);
            assertArrayEquals(bytes, back.toBytes());
            assertEquals(state.score(200 * DAY), back.score(200 * DAY));
            assertEquals(state.level, back.level);
            if (i % 3 == 0) {
                state = back;
            }
        }
    }

    @Test
    void bucketsKeepTheWindowOfTheNewest() {
        Buckets b = new Buckets(10);
        for (int bucket : new int[] {5, 7, 5, 6, 1, 14}) {
            b.add(bucket, 1);
        }
        assertEquals(4, b.size);
        assertEquals(5, b.sum(14));
        assertEquals(2, b.sum(5));
        b.add(30, 3);
        b.add(20, 9);
        assertEquals(1, b.size);
        assertEquals(3, b.sum(30));
        assertEquals(0, b.sum(29));
    }

    @Test
    void whatCannotBeMeantIsRefused() {
        assertEquals(new Options("a:1", "events", 2, true, 50, 256, true),
                Options.parse(new String[] {"a:1", "events", "--threads", "2", "--store", "rocksdb", "--commit-ms", "50", "--keep"}));
        for (String[] wrong : new String[][] {
            {}, {"a:1"}, {"a:1", "--keep"}, {"a:1", "events", "--threads"}, {"a:1", "events", "--threads", "0"},
            {"a:1", "events", "--store", "disk"}, {"a:1", "events", "--what", "1"},
        }) {
            assertThrows(IllegalArgumentException.class, () -> Options.parse(wrong));
        }
    }
}
