package io.riskpipe.peers;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/**
 * What is known of one user: for each activity how often it was done in each of the newest 24 hours and 90
 * days. Stored sparse, as variable-length integers: the changelog is written with every commit.
 */
final class UserState {
    static final int HOURS = 24;
    static final int DAYS = 90;

    private static final long HOUR_MILLIS = 3_600_000L;

    /** Severity that was told last: 0 none to 3 high. */
    int level;

    private final List<Activity> activities = new ArrayList<>();

    /** Buckets of one activity. */
    private static final class Activity {
        final int id;
        final Buckets hours;
        final Buckets days;

        Activity(int id, Buckets hours, Buckets days) {
            this.id = id;
            this.hours = hours;
            this.days = days;
        }
    }

    /** Counts amount of an activity at a time, in milliseconds since 1970. */
    void count(int activity, long time, int amount) {
        Activity found = null;
        for (Activity a : activities) {
            if (a.id == activity) {
                found = a;
                break;
            }
        }
        if (found == null) {
            found = new Activity(activity, new Buckets(HOURS), new Buckets(DAYS));
            activities.add(found);
        }
        int hour = (int) Math.floorDiv(time, HOUR_MILLIS);
        found.hours.add(hour, amount);
        found.days.add(Math.floorDiv(hour, 24), amount);
    }

    /** The user's score as of a time, 0 to below 100, by the rules of {@link Scoring}. */
    double score(long time) {
        int hour = (int) Math.floorDiv(time, HOUR_MILLIS);
        int day = Math.floorDiv(hour, 24);
        double evidence = 0;
        for (Activity a : activities) {
            evidence += Scoring.burst(a.hours.sum(hour));
            for (int i = 0; i < a.days.size; i++) {
                evidence += Scoring.points(a.days.amounts[i]) * Scoring.decay(day - a.days.at[i]);
            }
        }
        return 100 * evidence / (evidence + Scoring.HALF_SCALE);
    }

    byte[] toBytes() {
        int size = 2 * Varint.MAX_BYTES;
        for (Activity a : activities) {
            size += (3 + 2 * a.hours.size + 2 * a.days.size) * Varint.MAX_BYTES;
        }
        ByteBuffer out = ByteBuffer.allocate(size);
        Varint.write(out, level);
        Varint.write(out, activities.size());
        for (Activity a : activities) {
            Varint.write(out, a.id);
            a.hours.write(out);
            a.days.write(out);
        }
        byte[] bytes = new byte[out.position()];
        out.flip().get(bytes);
        return bytes;
    }

    static UserState fromBytes(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        UserState state = new UserState();
        state.level = Varint.read(in);
        for (int left = Varint.read(in); left > 0; left--) {
            state.activities.add(new Activity(Varint.read(in), Buckets.read(in, HOURS), Buckets.read(in, DAYS)));
        }
        return state;
    }

    static Serde<UserState> serde() {
        return Serdes.serdeFrom(
                (topic, state) -> state == null ? null : state.toBytes(),
                (topic, bytes) -> bytes == null ? null : fromBytes(bytes));
    }
}
