package io.riskpipe.peers;

/**
 * What a run is given on the command line.
 *
 * @param brokers bootstrap servers, host:port with commas
 * @param topic topic of events, keyed by user
 * @param threads stream threads
 * @param persistent whether states are in RocksDB rather than in memory; both have a changelog
 * @param commitMillis how often a transaction is committed; 100 is Kafka Streams' default with exactly-once
 * @param cacheMegabytes cache in front of the store, which spares the changelog a state that changes again before the commit
 * @param keep whether the run's topics are left on the broker
 */
record Options(String brokers, String topic, int threads, boolean persistent, long commitMillis, int cacheMegabytes, boolean keep) {
    static final String USAGE =
            "usage: run BROKERS TOPIC [--threads N] [--store memory|rocksdb] [--commit-ms N] [--cache-mb N] [--keep]";

    /** Reads the command line; throws IllegalArgumentException with what is wrong. */
    static Options parse(String[] arguments) {
        if (arguments.length < 2 || arguments[0].startsWith("-") || arguments[1].startsWith("-")) {
            throw new IllegalArgumentException("name the brokers and the topic");
        }
        int threads = 1;
        boolean persistent = false;
        long commitMillis = 100;
        int cacheMegabytes = 256;
        boolean keep = false;
        for (int i = 2; i < arguments.length; i++) {
            String flag = arguments[i];
            if (flag.equals("--keep")) {
                keep = true;
                continue;
            }
            if (i + 1 == arguments.length) {
                throw new IllegalArgumentException(flag + " is unknown or lacks a value");
            }
            String value = arguments[++i];
            switch (flag) {
                case "--threads" -> threads = positive(flag, value);
                case "--commit-ms" -> commitMillis = positive(flag, value);
                case "--cache-mb" -> cacheMegabytes = positive(flag, value);
                case "--store" -> persistent = switch (value) {
                    case "memory" -> false;
                    case "rocksdb" -> true;
                    default -> throw new IllegalArgumentException("--store is " + value + ": want memory or rocksdb");
                };
                default -> throw new IllegalArgumentException(flag + " is unknown");
            }
        }
        return new Options(arguments[0], arguments[1], threads, persistent, commitMillis, cacheMegabytes, keep);
    }

    private static int positive(String flag, String value) {
        try {
            int number = Integer.parseInt(value);
            if (number > 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new IllegalArgumentException(flag + " is " + value + ": want a positive number");
    }
}
