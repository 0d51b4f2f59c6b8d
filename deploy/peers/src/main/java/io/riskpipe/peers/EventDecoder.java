package io.riskpipe.peers;

import io.riskpipe.v1.Event;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.apache.avro.Schema;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.specific.SpecificData;

/**
 * Decodes events in Avro's single-object encoding into a class that was generated for the fields the scoring
 * reads, by Avro's fast reader. Not safe for concurrent use: one for each task.
 */
final class EventDecoder {
    private final BinaryMessageDecoder<Event> decoder;

    EventDecoder() {
        SpecificData model = new SpecificData();
        model.setFastReaderEnabled(true);
        decoder = new BinaryMessageDecoder<>(model, Event.getClassSchema());
        decoder.addSchema(writtenWith());
    }

    /** The product's schema of the topic. */
    static Schema writtenWith() {
        try (InputStream in = EventDecoder.class.getResourceAsStream("/event.avsc")) {
            return new Schema.Parser().parse(in);
        } catch (IOException e) {
            throw new UncheckedIOException("reading event.avsc", e);
        }
    }

    /** Returns the event, in reuse if that is not null; throws IOException or a RuntimeException when the bytes are none. */
    Event decode(byte[] bytes, Event reuse) throws IOException {
        return decoder.decode(bytes, reuse);
    }
}
