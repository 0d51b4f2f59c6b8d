-- Sealed identities and evidence keys, in a database of their own, so that one grant less keeps everybody out of it.
-- What stands there is sealed to the vault: whoever reads it without the private key learns which pseudonyms exist.
--
-- The topics are compacted, and a record without a value deletes what stands under its key. It becomes a row that is
-- marked as deleted, not a DELETE: it stands in the same block as the rows around it, can be written twice, and no
-- older row that is delivered again behind it comes back, which a DELETE would let happen. FINAL hides both at once; the
-- merge that removes the bytes comes within a day of the deletion.

CREATE DATABASE IF NOT EXISTS ${identity_database};

CREATE TABLE IF NOT EXISTS ${identity_database}.identities
(
    user String COMMENT 'Pseudonym of the person in full',
    source LowCardinality(String) COMMENT 'Feed that the identity was learned from; each knows other parts of it',
    key_version UInt32 COMMENT 'Version of the pseudonym key; 0 when deleted',
    updated_time DateTime64(3, 'UTC') COMMENT 'When the identity was last learned, or deleted',
    sealed String COMMENT 'The identity, sealed to the vault; empty when deleted' CODEC(NONE),
    sealing_key String COMMENT 'Id of the vault key that it is sealed to',
    deleted UInt8 DEFAULT 0 COMMENT '1 when it was deleted'
)
ENGINE = ReplacingMergeTree(updated_time, deleted)
ORDER BY (user, source)
SETTINGS non_replicated_deduplication_window = 1000, min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Escrow of identities. Read it with FINAL.';

-- A key never changes and, once deleted, never comes back, so the time of deletion is the version.
CREATE TABLE IF NOT EXISTS ${identity_database}.evidence_keys
(
    key_id String COMMENT 'What activities carry as evidence_key',
    vault_key LowCardinality(String) COMMENT 'Id of the vault key that the data key is sealed to',
    hour DateTime64(3, 'UTC') COMMENT 'Beginning of the hour in which it sealed; when deleted, the time of that',
    format UInt32 COMMENT 'How evidence under it is sealed; 0 when deleted',
    wrapped String COMMENT 'The data key, sealed to the vault; empty when deleted' CODEC(NONE),
    deleted_time DateTime64(3, 'UTC') COMMENT 'When it was deleted; 1970 when it was not',
    deleted UInt8 DEFAULT 0 COMMENT '1 when it was deleted'
)
ENGINE = ReplacingMergeTree(deleted_time, deleted)
ORDER BY key_id
SETTINGS non_replicated_deduplication_window = 1000, min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Data keys of evidence. Without its key, evidence never opens again. Read it with FINAL.';
