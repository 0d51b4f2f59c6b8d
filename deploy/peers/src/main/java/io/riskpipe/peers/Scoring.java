package io.riskpipe.peers;

import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.Stores;

/**
 * The rules, and the topology that applies them: events → a user's state → an alert when the user's severity
 * rises.
 *
 * <p>A day's amount of an activity is worth points by three thresholds, which halve every 30 days; the newest 24
 * hours are worth as much again, by lower thresholds. The sum x of all activities scores 100·x/(x+58).
 */
final class Scoring {
    static final String STORE = "states";
    static final double HALF_SCALE = 58;

    private static final int[] DAY = {50, 150, 500};
    private static final int[] BURST = {30, 100, 300};
    private static final double[] POINTS = {6, 14, 28};
    private static final double[] LEVELS = {25, 34, 67};
    private static final double[] DECAY = decays();

    private Scoring() {}

    /** What was processed, over all threads. */
    record Counts(LongAdder records, LongAdder undecodable, LongAdder alerts) {
        Counts() {
            this(new LongAdder(), new LongAdder(), new LongAdder());
        }
    }

    static Topology topology(String events, String alerts, boolean persistent, Counts counts) {
        KeyValueBytesStoreSupplier store =
                persistent ? Stores.persistentKeyValueStore(STORE) : Stores.inMemoryKeyValueStore(STORE);
        // Records are keyed by user already, so there is no repartitioning.
        return new Topology()
                .addSource("events", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), events)
                .addProcessor("score", () -> new ScoreProcessor(counts), "events")
                .addStateStore(
                        Stores.keyValueStoreBuilder(store, Serdes.Bytes(), UserState.serde())
                                .withCachingEnabled()
                                .withLoggingEnabled(Map.of()),
                        "score")
                .addSink("alerts", alerts, Serdes.ByteArray().serializer(), Serdes.ByteArray().serializer(), "score");
    }

    /** The points of a day, linear between the thresholds. */
    static double points(int amount) {
        return between(DAY, amount);
    }

    /** The points of the newest 24 hours. */
    static double burst(int amount) {
        return between(BURST, amount);
    }

    private static double between(int[] thresholds, int amount) {
        int from = 0;
        double points = 0;
        for (int i = 0; i < thresholds.length; i++) {
            if (amount < thresholds[i]) {
                return points + (POINTS[i] - points) * (amount - from) / (thresholds[i] - from);
            }
            from = thresholds[i];
            points = POINTS[i];
        }
        return points;
    }

    /** What is left after so many days; days to come count as today. */
    static double decay(int days) {
        return days < 0 ? 1 : days < DECAY.length ? DECAY[days] : 0;
    }

    private static double[] decays() {
        double[] decays = new double[UserState.DAYS];
        for (int i = 0; i < decays.length; i++) {
            decays[i] = Math.pow(0.5, i / 30.0);
        }
        return decays;
    }

    /** Severity of a score: 0 none, 1 low, 2 medium, 3 high. */
    static int level(double score) {
        int level = 0;
        while (level < LEVELS.length && score >= LEVELS[level]) {
            level++;
        }
        return level;
    }
}
