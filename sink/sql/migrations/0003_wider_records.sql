-- Columns for what later records say: groups and content rules, coarse places, site categories, health records, and
-- the life of alerts. Rows of before have what stands for "not said" in them.
--
-- The keyed hashes of family names and home addresses have no column: rules compare them, people have no use for them.

ALTER TABLE ${database}.activity
    ADD COLUMN IF NOT EXISTS `groups` Array(LowCardinality(String)) COMMENT 'The organisation''s groups that the person was in at the time' AFTER outcome,
    ADD COLUMN IF NOT EXISTS marks Array(LowCardinality(String)) COMMENT 'The organisation''s content rules that match, such as priority content and exclusions' AFTER `groups`,
    ADD COLUMN IF NOT EXISTS source_latitude Int16 COMMENT 'Latitude of the source address in whole degrees, north positive; 0 with longitude 0 when not said' AFTER source_private,
    ADD COLUMN IF NOT EXISTS source_longitude Int16 COMMENT 'Longitude of the source address in whole degrees, east positive' AFTER source_latitude,
    ADD COLUMN IF NOT EXISTS destination_category LowCardinality(String) COMMENT 'Category of a visited site: adult, child_abuse, criminal_activity, cult, gambling, hacking, hate, illegal_software, keylogger, malware, phishing, violence, llm, empty' AFTER destination_external,
    ADD COLUMN IF NOT EXISTS email_attachment_names Array(UInt64) COMMENT 'Keyed hashes of the attachments'' names, as in file_name: follow a file into a mail' AFTER email_extensions,
    ADD COLUMN IF NOT EXISTS health_record UInt64 COMMENT 'Keyed hash of the patient''s record, 0 when unknown: counts distinct patients' AFTER hr_direction,
    ADD COLUMN IF NOT EXISTS health_restricted Bool COMMENT 'Whether the record is marked as restricted, confidential or VIP' AFTER health_record,
    ADD COLUMN IF NOT EXISTS health_employee Bool COMMENT 'Whether the patient is an employee of the organisation' AFTER health_restricted,
    ADD COLUMN IF NOT EXISTS health_break_glass Bool COMMENT 'Whether an access restriction was overridden' AFTER health_employee;

ALTER TABLE ${database}.activity
    COMMENT COLUMN destination_class 'Class of where data went: internal, partner, personal_mail, personal_cloud, ai, unallowed, public, external (none of these), empty';

ALTER TABLE ${database}.alerts
    ADD COLUMN IF NOT EXISTS change LowCardinality(String) COMMENT 'What this version is: opened, updated, escalated, deescalated, closed, reopened; empty when not said' AFTER observed_time,
    ADD COLUMN IF NOT EXISTS trigger String COMMENT 'What brought the person into the policy, in words' AFTER change,
    ADD COLUMN IF NOT EXISTS hold LowCardinality(String) COMMENT 'Why nobody is to be told of it: throttled, suppressed or empty' AFTER trigger,
    ADD COLUMN IF NOT EXISTS hold_reason String COMMENT 'The reason given for a suppression, or the limit that throttles' AFTER hold,
    ADD COLUMN IF NOT EXISTS hold_until Nullable(DateTime64(3, 'UTC')) COMMENT 'When the suppression or throttling ends; null when it is not held' AFTER hold_reason,
    ADD COLUMN IF NOT EXISTS quiet_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it closes unless more evidence comes; null when not said' AFTER hold_until;

ALTER TABLE ${database}.alert_history
    ADD COLUMN IF NOT EXISTS change LowCardinality(String) COMMENT 'What this version is: opened, updated, escalated, deescalated, closed, reopened; empty when not said' AFTER observed_time,
    ADD COLUMN IF NOT EXISTS trigger String COMMENT 'What brought the person into the policy, in words' AFTER change,
    ADD COLUMN IF NOT EXISTS hold LowCardinality(String) COMMENT 'Why nobody is to be told of it: throttled, suppressed or empty' AFTER trigger,
    ADD COLUMN IF NOT EXISTS hold_reason String COMMENT 'The reason given for a suppression, or the limit that throttles' AFTER hold,
    ADD COLUMN IF NOT EXISTS hold_until Nullable(DateTime64(3, 'UTC')) COMMENT 'When the suppression or throttling ends; null when it is not held' AFTER hold_reason,
    ADD COLUMN IF NOT EXISTS quiet_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it closes unless more evidence comes; null when not said' AFTER hold_until;

ALTER TABLE ${database}.risk
    ADD COLUMN IF NOT EXISTS delta Decimal(9, 3) COMMENT 'Change since the score before, in points; negative when evidence was corrected, decayed or lost its ground' AFTER cause,
    ADD COLUMN IF NOT EXISTS late Bool COMMENT 'Whether the cause was late, so that this is a correction' AFTER delta,
    ADD COLUMN IF NOT EXISTS expires Nullable(DateTime64(3, 'UTC')) COMMENT 'When the level lapses to none unless it is extended; null when the level is none' AFTER late,
    ADD COLUMN IF NOT EXISTS record_offset Int64 COMMENT 'Offset of the record on its topic: tells the order of changes at the same time' AFTER expires,
    ADD COLUMN IF NOT EXISTS `counterfactuals.without` Array(LowCardinality(String)) COMMENT 'Per counterfactual: the factor left out' AFTER `contributions.detail`,
    ADD COLUMN IF NOT EXISTS `counterfactuals.score` Array(Decimal(9, 3)) COMMENT 'Per counterfactual: the score without the factor' AFTER `counterfactuals.without`;

-- Ledgers have more kinds of lines than before.
ALTER TABLE ${database}.alerts
    COMMENT COLUMN `contributions.kind` 'Per contribution: indicator, sequence, cumulative, booster or modifier',
    COMMENT COLUMN `contributions.name` 'Per contribution: name of the indicator, sequence, booster or modifier',
    COMMENT COLUMN `contributions.points` 'Per contribution: its points, negative for some boosters, which sum to the score exactly',
    COMMENT COLUMN event_ids 'Events behind the score: by indicator, the newest few of each, newest first';

ALTER TABLE ${database}.alert_history
    COMMENT COLUMN `contributions.kind` 'Per contribution: indicator, sequence, cumulative, booster or modifier',
    COMMENT COLUMN `contributions.name` 'Per contribution: name of the indicator, sequence, booster or modifier',
    COMMENT COLUMN `contributions.points` 'Per contribution: its points, negative for some boosters, which sum to the score exactly',
    COMMENT COLUMN event_ids 'Events behind the score: by indicator, the newest few of each, newest first';

ALTER TABLE ${database}.risk
    COMMENT COLUMN `contributions.kind` 'Per contribution: indicator, sequence, cumulative, booster or modifier',
    COMMENT COLUMN `contributions.name` 'Per contribution: name of the indicator, sequence, booster or modifier',
    COMMENT COLUMN `contributions.points` 'Per contribution: its points, negative for some boosters, which sum to the score exactly';
