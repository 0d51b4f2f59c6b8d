-- Tables. Readers use the soc_ views of 0002, which collapse what at-least-once delivery may double.
--
-- Every statement can be run again, so that a migration which broke off half-way is simply run once more.
--
-- ReplacingMergeTree: the sink writes a row again only in an emergency, and then the same row, so the sorting key is
-- the row's identity and the newer copy wins. Insert tokens keep most repetitions out (the deduplication window, in
-- blocks, needs to cover only the blocks in flight); FINAL in the views hides the rest until a merge removes it.
--
-- Retention is no part of this file: `riskpipe migrate` sets each table's TTL from the configuration.

-- ORDER BY (user, time, event_id): the timeline of one user is the query of every investigation, and so reads one
-- contiguous range; event_id makes it the row's identity. Questions about all users read by month (partition) and by
-- the minmax indexes, which work because rows arrive nearly in the order of time.
CREATE TABLE IF NOT EXISTS ${database}.activity
(
    event_id UUID COMMENT 'Identity of the fact, the same on every delivery',
    source LowCardinality(String) COMMENT 'Feed: signin, email, file, defender, hr, unknown',
    activity LowCardinality(String) COMMENT 'What happened, as object.verb, for example file.downloaded',
    operation LowCardinality(String) COMMENT 'The upstream name of it, for example FileDownloaded',
    time DateTime64(3, 'UTC') COMMENT 'When it happened, by the clock of the source' CODEC(DoubleDelta, ZSTD(1)),
    observed_time DateTime64(3, 'UTC') COMMENT 'When the raw record reached Kafka' CODEC(DoubleDelta, ZSTD(1)),
    user String COMMENT 'Pseudonym of the actor in full, empty when the record names nobody' CODEC(ZSTD(1)),
    user_short String ALIAS substring(user, 1, 13) COMMENT 'Pseudonym as shown to people; not unique enough to be a key',
    key_version UInt32 COMMENT 'Version of the pseudonym key',
    actor_type LowCardinality(String) COMMENT 'person, guest, service, system, anonymous, unknown; only a person is scored',
    outcome LowCardinality(String) COMMENT 'success, failure, unknown',

    device_id UInt64 COMMENT 'Keyed hash of the device, 0 when unknown',
    device_os LowCardinality(String) COMMENT 'Operating system as upstream says it',
    device_managed Nullable(Bool) COMMENT 'Whether the organisation manages the device; null when not said',
    source_ip_id UInt64 COMMENT 'Keyed hash of the source address, 0 when unknown',
    source_country LowCardinality(String) COMMENT 'Country of the source address, ISO 3166-1 alpha-2, empty when not said',
    source_asn UInt32 COMMENT 'Autonomous system of the source address, 0 when not said',
    source_private Bool COMMENT 'Whether the source address is private (RFC 1918, RFC 4193), loopback or link-local',
    destination_class LowCardinality(String) COMMENT 'Class of where data went: internal, partner, personal_mail, personal_cloud, ai, unallowed, public, external, empty',
    destination_domain UInt64 COMMENT 'Keyed hash of the registrable domain where data went, 0 when unknown',
    destination_external Bool COMMENT 'Whether data went outside the organisation',

    origin_topic LowCardinality(String) COMMENT 'Raw topic that holds the record',
    origin_partition Int32 COMMENT 'Partition of the raw record',
    origin_offset Int64 COMMENT 'Offset of the raw record' CODEC(Delta, ZSTD(1)),
    origin_index Int32 COMMENT 'Position of the fact in the raw record, from 0',
    evidence String COMMENT 'Personal facts, sealed: only the vault can open them; empty when not sealed' CODEC(NONE),
    evidence_key String COMMENT 'Data key that sealed the evidence' CODEC(ZSTD(1)),

    application LowCardinality(String) COMMENT 'Application signed in to, or program used on a file',
    label LowCardinality(String) COMMENT 'Sensitivity label of the message or file, name or else id',
    size Int64 COMMENT 'Bytes of the message or file, 0 when not said',
    sensitive_types Array(LowCardinality(String)) COMMENT 'Sensitive information types found; never a detected value',
    sensitive_count Int32 COMMENT 'Matches of the sensitive information types',
    enforcement LowCardinality(String) COMMENT 'What an endpoint or DLP policy did: audit, warn, bypass, block, allow, empty',

    sign_in_resource LowCardinality(String) COMMENT 'Resource that the application asked for',
    sign_in_client LowCardinality(String) COMMENT 'Client protocol as upstream says it',
    sign_in_legacy Bool COMMENT 'Whether the client protocol cannot do multi-factor authentication',
    sign_in_interactive Bool COMMENT 'Whether a person was at the keyboard',
    sign_in_mfa Bool COMMENT 'Whether more than one factor was required',
    sign_in_status_code Int64 COMMENT 'Entra error code, 0 for success',
    sign_in_interrupted Bool COMMENT 'Whether the sign-in waits for a challenge or consent',
    sign_in_conditional_access LowCardinality(String) COMMENT 'success, failure, notApplied or empty',
    sign_in_risk_level LowCardinality(String) COMMENT 'Upstream risk of the sign-in: none, low, medium, high, empty',
    sign_in_risk_types Array(LowCardinality(String)) COMMENT 'Upstream risk detections of the sign-in',

    email_message UInt64 COMMENT 'Keyed hash of the message id: one message is one, however many rows',
    email_direction LowCardinality(String) COMMENT 'outbound, inbound, internal or empty',
    email_messages Int32 COMMENT 'Messages that this row speaks of',
    email_recipients Int32 COMMENT 'Recipients, 0 when not said',
    email_external_recipients Int32 COMMENT 'Recipients outside the organisation',
    email_attachments Int32 COMMENT 'Attachments',
    email_extensions Array(LowCardinality(String)) COMMENT 'File extensions of the attachments',
    email_access LowCardinality(String) COMMENT 'Who used the mailbox: owner, admin, delegate or empty',
    email_rule LowCardinality(String) COMMENT 'What an inbox rule or mailbox setting does: forward, redirect, delete, move, permission, empty',

    file_object UInt64 COMMENT 'Keyed hash of the object, 0 when unknown: counts distinct objects',
    file_name UInt64 COMMENT 'Keyed hash of the file name, 0 when unknown: follows a file from cloud to device',
    file_previous UInt64 COMMENT 'Keyed hash of the file name before a rename, move, copy or archive, 0 when none',
    file_extension LowCardinality(String) COMMENT 'File extension in lower case, without the dot',
    file_item_type LowCardinality(String) COMMENT 'file, folder, site, page, list, link, volume or empty',
    file_count Int32 COMMENT 'Objects that this row speaks of',
    file_location LowCardinality(String) COMMENT 'Where the object lies: sharepoint, onedrive, teams, device, removable_media, network_share, cloud_app, copilot, empty',
    file_label_change LowCardinality(String) COMMENT 'applied, upgraded, downgraded, removed, changed or empty',

    detection_finding UInt64 COMMENT 'Keyed hash of the finding: the same through all its updates',
    detection_category LowCardinality(String) COMMENT 'MITRE tactic or threat category in snake case',
    detection_severity LowCardinality(String) COMMENT 'unknown, informational, low, medium, high, empty',
    detection_status LowCardinality(String) COMMENT 'new, in_progress, resolved, dismissed or empty',
    detection_techniques Array(LowCardinality(String)) COMMENT 'MITRE ATT&CK technique ids',
    detection_service LowCardinality(String) COMMENT 'Product that found it',
    detection_policy LowCardinality(String) COMMENT 'Policy or rule that matched',

    hr_scenario LowCardinality(String) COMMENT 'resignation, job_level_change, performance_review, performance_improvement_plan, employee_profile, worker',
    hr_effective Nullable(DateTime64(3, 'UTC')) COMMENT 'Date from which it holds; null when not said',
    hr_resigned Nullable(DateTime64(3, 'UTC')) COMMENT 'Date on which notice was given; null when not said',
    hr_last_day Nullable(DateTime64(3, 'UTC')) COMMENT 'Last working day; null when not said',
    hr_withdrawn Bool COMMENT 'Whether it takes an earlier resignation or termination back',
    hr_active Nullable(Bool) COMMENT 'Whether the account or employment is active; null when not said',
    hr_on_leave Bool COMMENT 'Whether the person is on leave',
    hr_employee_type LowCardinality(String) COMMENT 'Employee, Contractor, Intern, as upstream says it',
    hr_direction LowCardinality(String) COMMENT 'Of a level change or rating: up, down or empty',

    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was written' CODEC(DoubleDelta, ZSTD(1)),

    INDEX time_range time TYPE minmax GRANULARITY 1,
    INDEX inserted_range inserted_at TYPE minmax GRANULARITY 1,
    INDEX event_ids event_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(time)
ORDER BY (user, time, event_id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Normalised events, one row a fact. Read soc_timeline instead: rows may stand here twice until they are merged.';

-- ORDER BY (user, policy, alert_id): an alert is looked up with its user; of its versions the highest survives. No
-- partitions: alerts are few, and all versions of one must meet in a merge.
-- Scores are Decimal(9, 3), because thousandths of a point must add up exactly.
CREATE TABLE IF NOT EXISTS ${database}.alerts
(
    alert_id UUID COMMENT 'Identity of the alert through all its versions',
    version UInt32 COMMENT '1 for the opening, then one more for every change',
    user String COMMENT 'Pseudonym of the person in full',
    user_short String ALIAS substring(user, 1, 13) COMMENT 'Pseudonym as shown to people; not unique enough to be a key',
    policy LowCardinality(String) COMMENT 'Name of the policy',
    policy_version UInt32 COMMENT 'Version of the policy',
    policy_hash UInt64 COMMENT 'Which logic gave the score: first 8 bytes of SHA-256 over it',
    status LowCardinality(String) COMMENT 'open or closed',
    severity LowCardinality(String) COMMENT 'none, low, medium, high: the band of the score',
    score Decimal(9, 3) COMMENT 'Risk score, 0 to 100 points',
    opened_at DateTime64(3, 'UTC') COMMENT 'Event time at which the alert opened',
    updated_at DateTime64(3, 'UTC') COMMENT 'Event time of this version',
    observed_time DateTime64(3, 'UTC') COMMENT 'When the raw record that caused this version reached Kafka',
    `contributions.kind` Array(LowCardinality(String)) COMMENT 'Per contribution: indicator or modifier',
    `contributions.name` Array(LowCardinality(String)) COMMENT 'Per contribution: name of the indicator or modifier',
    `contributions.points` Array(Decimal(9, 3)) COMMENT 'Per contribution: its points, which sum to the score exactly',
    `contributions.detail` Array(String) COMMENT 'Per contribution: the numbers behind it, in words',
    `counterfactuals.without` Array(LowCardinality(String)) COMMENT 'Per counterfactual: the factor left out',
    `counterfactuals.score` Array(Decimal(9, 3)) COMMENT 'Per counterfactual: the score without the factor',
    event_ids Array(UUID) COMMENT 'Events behind the score: by indicator, the newest eight of each, newest first',
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was written'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (user, policy, alert_id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Alerts. Read soc_alerts instead: earlier versions stand here until they are merged away.';

-- Every version of every alert, for how it developed and for the latency of each change.
CREATE TABLE IF NOT EXISTS ${database}.alert_history AS ${database}.alerts
ENGINE = ReplacingMergeTree(inserted_at)
ORDER BY (user, alert_id, version)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Every version of every alert.';

-- ORDER BY (user, time, cause): one event moves a score once.
CREATE TABLE IF NOT EXISTS ${database}.risk
(
    user String COMMENT 'Pseudonym of the person in full' CODEC(ZSTD(1)),
    user_short String ALIAS substring(user, 1, 13) COMMENT 'Pseudonym as shown to people; not unique enough to be a key',
    time DateTime64(3, 'UTC') COMMENT 'Event time of the change' CODEC(DoubleDelta, ZSTD(1)),
    score Decimal(9, 3) COMMENT 'Risk score from then on, 0 to 100 points',
    level LowCardinality(String) COMMENT 'none, minor, moderate, elevated: the band of the score',
    policy LowCardinality(String) COMMENT 'Policy that the score is by',
    policy_version UInt32 COMMENT 'Version of the policy',
    cause UUID COMMENT 'Event that moved the score',
    `contributions.kind` Array(LowCardinality(String)) COMMENT 'Per contribution: indicator or modifier',
    `contributions.name` Array(LowCardinality(String)) COMMENT 'Per contribution: name of the indicator or modifier',
    `contributions.points` Array(Decimal(9, 3)) COMMENT 'Per contribution: its points, which sum to the score exactly',
    `contributions.detail` Array(String) COMMENT 'Per contribution: the numbers behind it, in words',
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was written' CODEC(DoubleDelta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(inserted_at)
PARTITION BY toYYYYMM(time)
ORDER BY (user, time, cause)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Changes of risk scores. Read soc_user_risk instead for the latest of each user.';
