package io.riskpipe.peers;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** Scores a topic from its beginning to the end that it has now, and prints what that cost as one line of JSON. */
public final class Peer {
    private final Options options;
    private final Admin admin;
    private final String application = "riskpipe-peer-" + Long.toString(System.currentTimeMillis(), 36);
    private final Scoring.Counts counts = new Scoring.Counts();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    private Peer(Options options, Admin admin) {
        this.options = options;
        this.admin = admin;
    }

    public static void main(String[] arguments) {
        Options options;
        try {
            options = Options.parse(arguments);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage() + "\n" + Options.USAGE);
            System.exit(2);
            return;
        }
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", options.brokers()))) {
            System.out.println(new Peer(options, admin).run());
        } catch (Exception e) {
            System.err.println("peer: " + (e instanceof ExecutionException ? e.getCause() : e));
            System.exit(1);
        }
    }

    private String run() throws Exception {
        Map<TopicPartition, Long> starts = offsets(OffsetSpec.earliest());
        Map<TopicPartition, Long> ends = offsets(OffsetSpec.latest());
        long total = ends.entrySet().stream().mapToLong(end -> end.getValue() - starts.get(end.getKey())).sum();
        if (total == 0) {
            throw new IllegalStateException(options.topic() + " holds no records");
        }
        String alerts = application + "-alerts";
        admin.createTopics(List.of(new NewTopic(alerts, Optional.of(ends.size()), Optional.empty()))).all().get();
        Path directory = Files.createTempDirectory("riskpipe-peer");
        KafkaStreams streams = new KafkaStreams(
                Scoring.topology(options.topic(), alerts, options.persistent(), counts), properties(directory));
        try {
            streams.setUncaughtExceptionHandler(e -> {
                failure.set(e);
                return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            });
            streams.start();
            // Joining the group and the JVM's start are no part of what an event costs.
            Reading first = readingAt(1);
            // The second half is measured by itself: by then the JIT compiler has done its work.
            Reading half = readingAt(total / 2);
            readingAt(total);
            awaitCommit(ends);
            Reading last = Reading.now(counts.records().sum());
            return report(total, first, half, last);
        } finally {
            // Who stays in the group, as Kafka Streams does on an ordinary close, keeps it from being deleted.
            streams.close(CloseOptions.groupMembershipOperation(GroupMembershipOperation.LEAVE_GROUP));
            cleanUp(directory);
        }
    }

    /** Wall clock and CPU of this process when so many records were processed. */
    private record Reading(long nanos, long cpu, long records) {
        static Reading now(long records) {
            long cpu = ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
            return new Reading(System.nanoTime(), cpu, records);
        }

        double seconds(Reading since) {
            return (nanos - since.nanos) / 1e9;
        }

        double eventsPerSecond(Reading since) {
            return (records - since.records) / seconds(since);
        }

        double cpuPerEvent(Reading since) {
            return (double) (cpu - since.cpu) / (records - since.records);
        }
    }

    private Reading readingAt(long records) throws InterruptedException {
        for (; ; ) {
            check();
            long processed = counts.records().sum();
            if (processed >= records) {
                return Reading.now(processed);
            }
            Thread.sleep(2);
        }
    }

    private void check() {
        if (failure.get() != null) {
            throw new IllegalStateException("the streams application failed", failure.get());
        }
    }

    /** Waits until the transactions with all of the results are committed: only then is the work done. */
    private void awaitCommit(Map<TopicPartition, Long> ends) throws ExecutionException, InterruptedException {
        for (; ; ) {
            check();
            Map<TopicPartition, OffsetAndMetadata> committed =
                    admin.listConsumerGroupOffsets(application).partitionsToOffsetAndMetadata().get();
            boolean all = ends.entrySet().stream().allMatch(end -> {
                OffsetAndMetadata offset = committed.get(end.getKey());
                return end.getValue() == 0 || offset != null && offset.offset() >= end.getValue();
            });
            if (all) {
                return;
            }
            Thread.sleep(10);
        }
    }

    private Map<TopicPartition, Long> offsets(OffsetSpec spec) throws ExecutionException, InterruptedException {
        var description = admin.describeTopics(Set.of(options.topic())).allTopicNames().get().get(options.topic());
        Map<TopicPartition, OffsetSpec> asked = description.partitions().stream()
                .map(p -> new TopicPartition(options.topic(), p.partition()))
                .collect(Collectors.toMap(Function.identity(), p -> spec));
        return admin.listOffsets(asked).all().get().entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().offset()));
    }

    private Properties properties(Path directory) {
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, options.brokers());
        p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, options.commitMillis());
        p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, options.threads());
        p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, options.cacheMegabytes() * 1024L * 1024L);
        p.put(StreamsConfig.STATE_DIR_CONFIG, directory.toString());
        p.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, -1);
        p.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        // As much at once as riskpipe takes, and the same compression.
        p.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5000);
        p.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
        p.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 8 << 20);
        p.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "snappy");
        p.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 512 << 10);
        return p;
    }

    private String report(long total, Reading first, Reading half, Reading last) {
        return String.format(Locale.ROOT,
                "{\"peer\":\"kafka-streams\",\"guarantee\":\"exactly_once_v2\",\"store\":\"%s\",\"threads\":%d,"
                        + "\"commit_ms\":%d,\"java\":\"%s\",\"records\":%d,\"undecodable\":%d,\"alerts\":%d,"
                        + "\"seconds\":%.3f,\"events_per_second\":%.0f,\"cpu_ns_per_event\":%.0f,"
                        + "\"warm_events_per_second\":%.0f,\"warm_cpu_ns_per_event\":%.0f}",
                options.persistent() ? "rocksdb" : "memory", options.threads(), options.commitMillis(),
                System.getProperty("java.version"), total, counts.undecodable().sum(), counts.alerts().sum(),
                last.seconds(first), last.eventsPerSecond(first), last.cpuPerEvent(first),
                last.eventsPerSecond(half), last.cpuPerEvent(half));
    }

    private void cleanUp(Path directory) throws IOException, ExecutionException, InterruptedException {
        try (var paths = Files.walk(directory)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
        if (options.keep()) {
            return;
        }
        List<String> ours = admin.listTopics().names().get().stream().filter(t -> t.startsWith(application)).toList();
        admin.deleteTopics(ours).all().get();
        admin.deleteConsumerGroups(List.of(application)).all().get();
    }
}
