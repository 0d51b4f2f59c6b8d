package io.riskpipe.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Events as the product writes them go in, alerts come out. */
class ScoringTest {
    private static final long HOUR = 3_600_000;

    private final Scoring.Counts counts = new Scoring.Counts();
    private final Schema schema = EventDecoder.writtenWith();
    private TopologyTestDriver driver;
    private TestInputTopic<String, byte[]> events;
    private TestOutputTopic<String, String> alerts;

    @BeforeEach
    void start() {
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        driver = new TopologyTestDriver(Scoring.topology("events", "alerts", false, counts), p);
        events = driver.createInputTopic("events", new StringSerializer(), new ByteArraySerializer());
        alerts = driver.createOutputTopic("alerts", new StringDeserializer(), new StringDeserializer());
    }

    @AfterEach
    void stop() {
        driver.close();
    }

    private byte[] event(String activity, long time, String actor, String outcome, int count) {
        GenericRecordBuilder file = new GenericRecordBuilder(schema.getField("file").schema().getTypes().get(1));
        GenericRecord event = new GenericRecordBuilder(schema)
                .set("event_id", fixed("event_id"))
                .set("user", fixed("user"))
                .set("source", new GenericData.EnumSymbol(schema.getField("source").schema(), "file"))
                .set("activity", activity)
                .set("time", time)
                .set("observed_time", time)
                .set("origin", new GenericRecordBuilder(schema.getField("origin").schema()).build())
                .set("actor_type", new GenericData.EnumSymbol(schema.getField("actor_type").schema(), actor))
                .set("outcome", new GenericData.EnumSymbol(schema.getField("outcome").schema(), outcome))
                .set("file", file.set("count", count).build())
                .build();
        try {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            new BinaryMessageEncoder<GenericRecord>(GenericData.get(), schema).encode(event, out);
            return out.toByteArray();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private GenericData.Fixed fixed(String field) {
        return new GenericData.Fixed(schema.getField(field).schema(), new byte[16]);
    }

    @Test
    void anAlertIsWrittenWhenSeverityRises() {
        for (int i = 0; i < 120; i++) {
            events.pipeInput("ada", event("file.downloaded", i, "person", "success", 1));
        }
        List<String> written = alerts.readValuesToList();
        assertEquals(1, written.size(), written.toString());
        assertTrue(written.get(0).startsWith("{\"time\":") && written.get(0).contains("\"level\":1"), written.toString());
        assertEquals(120, counts.records().sum());
    }

    @Test
    void usersAreApart() {
        for (int i = 0; i < 150; i++) {
            events.pipeInput("user" + i % 10, event("file.downloaded", i, "person", "success", 1));
        }
        assertTrue(alerts.isEmpty());
    }

    @Test
    void oneEventMayCountForMany() {
        events.pipeInput("ada", event("file.downloaded", 1, "person", "success", 2000));
        assertEquals(1, alerts.readValuesToList().size());
    }

    @Test
    void machinesAndFailuresCountForNothing() {
        events.pipeInput("ada", event("file.downloaded", 1, "service", "success", 2000));
        events.pipeInput("ada", event("file.downloaded", 1, "person", "failure", 2000));
        assertTrue(alerts.isEmpty());
    }

    @Test
    void bytesThatAreNoEventAreCounted() {
        events.pipeInput("ada", "no event".getBytes(StandardCharsets.UTF_8));
        events.pipeInput("ada", event("file.downloaded", 1, "person", "success", 2000));
        assertEquals(1, counts.undecodable().sum());
        assertEquals(1, alerts.readValuesToList().size());
    }

    @Test
    void evidenceDecaysAndBurstsEnd() {
        UserState state = new UserState();
        state.count(1, 0, 500);
        double now = state.score(0);
        double tomorrow = state.score(25 * HOUR);
        double later = state.score(31 * 24 * HOUR);
        assertTrue(now > tomorrow && tomorrow > later && later > 0, now + " " + tomorrow + " " + later);
        assertEquals(0, state.score(91 * 24 * HOUR));
    }

    @Test
    void pointsAreLinearBetweenThresholds() {
        assertEquals(0, Scoring.points(0));
        assertEquals(3, Scoring.points(25));
        assertEquals(6, Scoring.points(50));
        assertEquals(10, Scoring.points(100));
        assertEquals(28, Scoring.points(500));
        assertEquals(28, Scoring.points(5000));
    }
}
