package io.riskpipe.peers;

import io.riskpipe.v1.ActorType;
import io.riskpipe.v1.Event;
import io.riskpipe.v1.Outcome;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Counts each event of a person in their state and tells when their severity rises. */
final class ScoreProcessor implements Processor<byte[], byte[], byte[], byte[]> {
    private final Scoring.Counts counts;
    private final EventDecoder decoder = new EventDecoder();
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<Bytes, UserState> states;
    private Event event;

    ScoreProcessor(Scoring.Counts counts) {
        this.counts = counts;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        this.context = context;
        states = context.getStateStore(Scoring.STORE);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        if (decode(record.value())) {
            score(record);
        }
        counts.records().increment();
    }

    private boolean decode(byte[] value) {
        try {
            event = decoder.decode(value, event);
            return true;
        } catch (IOException | RuntimeException e) {
            // Avro throws either on bytes that are no event.
            counts.undecodable().increment();
            return false;
        }
    }

    private void score(Record<byte[], byte[]> record) {
        if (event.getActorType() != ActorType.person && event.getActorType() != ActorType.guest
                || event.getOutcome() == Outcome.failure) {
            return;
        }
        Bytes user = Bytes.wrap(record.key());
        UserState state = states.get(user);
        if (state == null) {
            state = new UserState();
        }
        int amount = event.getFile() == null ? 1 : Math.max(event.getFile().getCount(), 1);
        state.count(event.getActivity().hashCode(), event.getTime(), amount);
        double score = state.score(event.getTime());
        int level = Scoring.level(score);
        if (level > state.level) {
            counts.alerts().increment();
            context.forward(record.withValue(alert(level, score)));
        }
        state.level = level;
        states.put(user, state);
    }

    private byte[] alert(int level, double score) {
        return String.format(Locale.ROOT, "{\"time\":%d,\"level\":%d,\"score\":%.1f,\"activity\":\"%s\"}",
                event.getTime(), level, score, event.getActivity()).getBytes(StandardCharsets.UTF_8);
    }
}
