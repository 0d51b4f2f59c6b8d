-- The audit trail. It is read to answer "who looked at whom": by writer and position. The hash is part of the
-- row's identity, so that a record which is delivered twice becomes one, and a forged one never replaces the true one:
-- they stay side by side, for the verification to find.
--
-- It has no retention: a chain with its beginning cut off can no longer be verified from the start.
CREATE TABLE IF NOT EXISTS ${database}.audit
(
    writer LowCardinality(String) COMMENT 'Name of the chain: each writer has one of its own',
    sequence Int64 COMMENT 'Position in the chain, from 1 without gaps',
    time DateTime64(3, 'UTC') COMMENT 'When it was done, by the writer''s clock' CODEC(DoubleDelta, ZSTD(1)),
    actor String COMMENT 'Account that did it; empty for the writer itself' CODEC(ZSTD(1)),
    action LowCardinality(String) COMMENT 'What was done, as object.verb, for example reveal.approved',
    subject String COMMENT 'What it was done to: a pseudonym in full, the name of a policy, or empty' CODEC(ZSTD(1)),
    `case` String COMMENT 'Case it was done for, or empty' CODEC(ZSTD(1)),
    detail String COMMENT 'More about it, as a JSON object, or empty' CODEC(ZSTD(1)),
    previous FixedString(64) COMMENT 'Hash of the record before in hexadecimal, zeros in the first' CODEC(ZSTD(1)),
    hash FixedString(64) COMMENT 'SHA-256 over the previous hash and every other field, in hexadecimal' CODEC(ZSTD(1)),

    INDEX by_subject subject TYPE bloom_filter GRANULARITY 4,
    INDEX by_case `case` TYPE bloom_filter GRANULARITY 4
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(time)
ORDER BY (writer, sequence, hash)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Audit trail, one row a record; hashes chain the rows of a writer.';

-- What shows without computing a hash; riskpipe audit verify computes them.
CREATE OR REPLACE VIEW ${database}.audit_chains
(
    writer String COMMENT 'Name of the chain',
    first_time DateTime64(3, 'UTC') COMMENT 'Time of the first record',
    last_time DateTime64(3, 'UTC') COMMENT 'Time of the last record',
    records UInt64 COMMENT 'Positions of the chain that have a record',
    last_sequence Int64 COMMENT 'Position of the last record',
    missing Int64 COMMENT 'Positions up to the last that have no record: gaps',
    forks UInt64 COMMENT 'Records that stand beside another one at the same position: forks'
)
AS SELECT
    writer,
    min(time) AS first_time,
    max(time) AS last_time,
    uniqExact(sequence) AS records,
    max(sequence) AS last_sequence,
    last_sequence - toInt64(records) AS missing,
    uniqExact(sequence, hash) - records AS forks
FROM ${database}.audit
GROUP BY writer
COMMENT 'Chains of the audit trail, with gaps and forks, one row a writer.';
