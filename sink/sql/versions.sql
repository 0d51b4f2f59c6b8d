CREATE DATABASE IF NOT EXISTS ${database};

-- Which migrations were run. Two that migrate at once note the same thing, once.
CREATE TABLE IF NOT EXISTS ${database}.schema_migrations
(
    version UInt32 COMMENT 'Number of the migration',
    name String COMMENT 'Name of its file',
    checksum String COMMENT 'SHA-256 of its file, in hexadecimal',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When it was run'
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY version
COMMENT 'Migrations that were run on this database.';
