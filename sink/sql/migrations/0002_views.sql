-- The views are the contract for dashboards and other readers: columns may be added, never renamed or removed.
-- They read with FINAL, so each fact, alert and change appears once whatever was delivered twice.
-- The column lists are there for the comments, and hold the types to what was promised.

CREATE OR REPLACE VIEW ${database}.soc_timeline
(
    time DateTime64(3, 'UTC') COMMENT 'When it happened, by the clock of the source',
    user String COMMENT 'Pseudonym of the person in full, empty when nobody is named',
    user_short String COMMENT 'Pseudonym as shown to people',
    category String COMMENT 'Access, Deletion, Collection, Exfiltration, Infiltration, Obfuscation, Security, AI or HR',
    action String COMMENT 'What was done, in words',
    detail String COMMENT 'What it was done to and where it went, in words',
    outcome String COMMENT 'success, failure or unknown',
    source String COMMENT 'Feed: signin, email, file, defender or hr',
    activity String COMMENT 'What was done, as object.verb',
    operation String COMMENT 'The upstream name of it',
    actor_type String COMMENT 'person, guest, service, system, anonymous or unknown',
    application String COMMENT 'Application or program',
    location String COMMENT 'Where the object lies, such as sharepoint, device or removable_media',
    extension String COMMENT 'File extension',
    size Int64 COMMENT 'Bytes, 0 when not said',
    objects Int32 COMMENT 'Files or messages that the row speaks of',
    label String COMMENT 'Sensitivity label',
    sensitive_types Array(String) COMMENT 'Sensitive information types found',
    destination_class String COMMENT 'Class of where data went, such as personal_mail or personal_cloud',
    destination_external Bool COMMENT 'Whether data went outside the organisation',
    recipients Int32 COMMENT 'Recipients of the message, 0 when not said',
    country String COMMENT 'Country of the source address, ISO 3166-1 alpha-2',
    severity String COMMENT 'Severity of a detection, empty otherwise',
    enforcement String COMMENT 'What a policy did: audit, warn, bypass, block, allow or empty',
    event_id UUID COMMENT 'Identity of the fact, as in soc_alerts.event_ids',
    observed_time DateTime64(3, 'UTC') COMMENT 'When the raw record reached Kafka',
    inserted_at DateTime64(3, 'UTC') COMMENT 'When the row was written'
)
AS SELECT
    time,
    user,
    user_short,
    -- The first branch that holds decides, so particular activities stand before families of them.
    multiIf(
        activity LIKE 'hr.%' OR activity LIKE 'account.%', 'HR',
        activity LIKE 'ai.%' OR file_location = 'copilot' OR (activity LIKE 'network.%' AND destination_class = 'ai'), 'AI',
        activity IN ('file.renamed', 'file.archived', 'file.label_removed', 'file.label_downgraded',
            'file.protection_removed', 'file.protection_changed'), 'Obfuscation',
        activity IN ('file.malware_detected', 'file.downloaded_from_browser'), 'Infiltration',
        activity LIKE 'detection.%' OR activity LIKE 'signin.%risk%' OR activity IN ('email.permission_granted',
            'file.permission_changed', 'site.admin_added', 'site.admin_removed'), 'Security',
        activity LIKE '%.deleted' OR activity LIKE '%.purged' OR activity LIKE '%.recycled' OR activity LIKE '%.version_deleted', 'Deletion',
        activity LIKE 'file.copied_to_%' OR activity IN ('file.uploaded_to_cloud', 'file.pasted_to_browser', 'file.printed',
            'file.shared_external', 'file.anonymous_link_created', 'file.anonymous_link_updated', 'email.sent_external',
            'email.forwarding_set', 'file.accessed_by_unallowed_app')
            OR (activity = 'email.rule_created' AND email_rule IN ('forward', 'redirect')), 'Exfiltration',
        activity IN ('file.downloaded', 'file.synced', 'file.copied', 'device.screenshot_taken', 'device.clipboard_read',
            'site.sync_client_connected'), 'Collection',
        activity LIKE 'device.%' OR activity = 'email.rule_created', 'Security',
        'Access') AS category,
    -- object.verb in words; the particular spellings first.
    replaceRegexpOne(replaceRegexpAll(activity, '[._]', ' '), ' external$', ' outside the organisation') AS words,
    multiIf(
        activity LIKE 'hr.%', concat(upper(substring(words, 4, 1)), substring(words, 5)),
        activity LIKE 'signin.%', concat('Sign-in ', substring(words, 8)),
        activity LIKE 'ai.%', concat('AI ', substring(words, 4)),
        activity LIKE 'detection.dlp%', concat('DLP ', substring(words, 15)),
        concat(upper(substring(words, 1, 1)), substring(words, 2))) AS action,
    arrayStringConcat(arrayFilter(part -> part != '', [
        if(file_extension != '', concat('.', file_extension, ' file'), file_item_type),
        if(file_count > 1, concat(toString(file_count), ' objects'), ''),
        if(email_messages > 1, concat(toString(email_messages), ' messages'), ''),
        if(email_attachments > 0, concat(toString(email_attachments), if(email_attachments = 1, ' attachment', ' attachments')), ''),
        if(email_external_recipients > 0, concat(toString(email_external_recipients), if(email_external_recipients = 1, ' external recipient', ' external recipients')), ''),
        if(size > 0, formatReadableSize(size), ''),
        if(label != '', concat('label ', label), ''),
        if(file_label_change != '', concat('label ', file_label_change), ''),
        if(empty(sensitive_types), '', concat('contains ', arrayStringConcat(sensitive_types, ', '))),
        if(file_location != '', concat('on ', replaceAll(file_location, '_', ' ')), ''),
        if(destination_class != '', concat('to ', replaceAll(destination_class, '_', ' ')), ''),
        if(application != '', concat('with ', application), ''),
        if(sign_in_client != '', concat('by ', sign_in_client), ''),
        if(source_country != '', concat('from ', source_country), ''),
        if(sign_in_status_code != 0, concat('error ', toString(sign_in_status_code)), ''),
        if(empty(sign_in_risk_types), '', concat('risk ', arrayStringConcat(sign_in_risk_types, ', '))),
        if(detection_category != '', replaceAll(detection_category, '_', ' '), ''),
        if(detection_severity != '', concat('severity ', detection_severity), ''),
        if(empty(detection_techniques), '', arrayStringConcat(detection_techniques, ', ')),
        if(detection_policy != '', concat('policy ', detection_policy), ''),
        if(enforcement != '', concat('policy decision ', enforcement), ''),
        if(hr_last_day IS NULL, '', concat('last working day ', toString(toDate32(assumeNotNull(hr_last_day))))),
        if(hr_direction != '', concat('direction ', hr_direction), '')
    ]), ' · ') AS detail,
    outcome,
    source,
    activity,
    operation,
    actor_type,
    application,
    file_location AS location,
    file_extension AS extension,
    size,
    greatest(file_count, email_messages, 1) AS objects,
    label,
    sensitive_types,
    destination_class,
    destination_external,
    email_recipients AS recipients,
    source_country AS country,
    detection_severity AS severity,
    enforcement,
    event_id,
    observed_time,
    inserted_at
FROM ${database}.activity FINAL
-- HR feeds send the same facts every day; a fact is known from the first time on.
WHERE source != 'hr' OR (event_id, time) IN (SELECT event_id, min(time) FROM ${database}.activity WHERE source = 'hr' GROUP BY event_id)
COMMENT 'What happened, one row an activity.';

CREATE OR REPLACE VIEW ${database}.soc_alerts
(
    alert_id UUID COMMENT 'Identity of the alert through all its versions',
    user String COMMENT 'Pseudonym of the person in full',
    user_short String COMMENT 'Pseudonym as shown to people',
    policy String COMMENT 'Name of the policy',
    policy_version UInt32 COMMENT 'Version of the policy',
    policy_hash String COMMENT 'Which logic gave the score, 16 hexadecimal digits',
    status String COMMENT 'open or closed',
    severity String COMMENT 'none, low, medium or high: the band of the score',
    score Decimal(9, 3) COMMENT 'Risk score, 0 to 100 points',
    opened_at DateTime64(3, 'UTC') COMMENT 'Event time at which the alert opened',
    updated_at DateTime64(3, 'UTC') COMMENT 'Event time of the latest change',
    version UInt32 COMMENT 'How often it changed; 1 is the opening',
    top_reason String COMMENT 'The contribution with the most points, in words',
    reasons UInt32 COMMENT 'Number of contributions; soc_alert_contributions lists them',
    modifiers Array(String) COMMENT 'Modifiers that raised or lowered the score',
    event_ids Array(UUID) COMMENT 'Events behind the score: by indicator, the newest eight of each, newest first, as in soc_timeline',
    observed_time DateTime64(3, 'UTC') COMMENT 'When the raw record behind the latest change reached Kafka',
    inserted_at DateTime64(3, 'UTC') COMMENT 'When the latest change was written'
)
AS SELECT
    alert_id,
    user,
    user_short,
    policy,
    policy_version,
    lower(hex(policy_hash)) AS policy_hash,
    status,
    severity,
    score,
    opened_at,
    updated_at,
    version,
    if(empty(`contributions.points`), '', concat(
        replaceAll(`contributions.name`[indexOf(`contributions.points`, arrayMax(`contributions.points`))], '_', ' '), ': ',
        `contributions.detail`[indexOf(`contributions.points`, arrayMax(`contributions.points`))])) AS top_reason,
    toUInt32(length(`contributions.points`)) AS reasons,
    arrayFilter((name, kind) -> kind = 'modifier', `contributions.name`, `contributions.kind`) AS modifiers,
    event_ids,
    observed_time,
    inserted_at
FROM ${database}.alerts FINAL
COMMENT 'Alerts in their latest version, one row an alert.';

CREATE OR REPLACE VIEW ${database}.soc_alert_contributions
(
    alert_id UUID COMMENT 'Alert, as in soc_alerts',
    user String COMMENT 'Pseudonym of the person in full',
    user_short String COMMENT 'Pseudonym as shown to people',
    policy String COMMENT 'Name of the policy',
    score Decimal(9, 3) COMMENT 'Score of the alert: the sum of the points of its rows, exactly',
    position UInt32 COMMENT 'Place in the ledger, from 1',
    kind String COMMENT 'indicator (evidence by itself) or modifier (what multiplied it)',
    name String COMMENT 'Name of the indicator or modifier',
    points Decimal(9, 3) COMMENT 'Share of the score in points',
    detail String COMMENT 'The numbers behind it, in words',
    score_without Nullable(Decimal(9, 3)) COMMENT 'What the score would be without this factor; null when not worked out',
    updated_at DateTime64(3, 'UTC') COMMENT 'Event time of the latest change of the alert'
)
AS SELECT
    alert_id,
    user,
    user_short,
    policy,
    score,
    toUInt32(number) AS position,
    kind,
    name,
    points,
    detail,
    if(has(`counterfactuals.without`, name), `counterfactuals.score`[indexOf(`counterfactuals.without`, name)], NULL) AS score_without,
    updated_at
FROM ${database}.alerts FINAL
ARRAY JOIN
    arrayEnumerate(`contributions.kind`) AS number,
    `contributions.kind` AS kind,
    `contributions.name` AS name,
    `contributions.points` AS points,
    `contributions.detail` AS detail
COMMENT 'Why each alert has its score, one row a contribution.';

CREATE OR REPLACE VIEW ${database}.soc_alert_history
(
    alert_id UUID COMMENT 'Alert, as in soc_alerts',
    version UInt32 COMMENT '1 for the opening, then one more for every change',
    user String COMMENT 'Pseudonym of the person in full',
    user_short String COMMENT 'Pseudonym as shown to people',
    policy String COMMENT 'Name of the policy',
    status String COMMENT 'open or closed at this version',
    severity String COMMENT 'Band of the score at this version',
    score Decimal(9, 3) COMMENT 'Score at this version, 0 to 100 points',
    updated_at DateTime64(3, 'UTC') COMMENT 'Event time of this version',
    observed_time DateTime64(3, 'UTC') COMMENT 'When the raw record that caused this version reached Kafka',
    inserted_at DateTime64(3, 'UTC') COMMENT 'When this version was written'
)
AS SELECT alert_id, version, user, user_short, policy, status, severity, score, updated_at, observed_time, inserted_at
FROM ${database}.alert_history FINAL
COMMENT 'How alerts developed, one row a version.';

CREATE OR REPLACE VIEW ${database}.soc_user_risk
(
    user String COMMENT 'Pseudonym of the person in full',
    user_short String COMMENT 'Pseudonym as shown to people',
    score Decimal(9, 3) COMMENT 'Latest risk score, 0 to 100 points',
    level String COMMENT 'none, minor, moderate or elevated: the band of the score',
    policy String COMMENT 'Policy that the score is by',
    time DateTime64(3, 'UTC') COMMENT 'Event time of the latest change',
    score_week_ago Decimal(9, 3) COMMENT 'Score in force seven days ago, 0 when there was none',
    change Decimal(9, 3) COMMENT 'Latest score less the score of seven days ago',
    trend String COMMENT 'rising or falling by at least 5 points over seven days, else steady',
    highest_score Decimal(9, 3) COMMENT 'Highest score kept',
    changes UInt64 COMMENT 'Number of changes kept',
    top_reason String COMMENT 'The contribution with the most points, in words'
)
AS SELECT
    user,
    substring(user, 1, 13) AS user_short,
    latest.1 AS score,
    latest.2 AS level,
    latest.3 AS policy,
    last_time AS time,
    score_week_ago,
    latest.1 - score_week_ago AS change,
    multiIf(change >= 5, 'rising', change <= -5, 'falling', 'steady') AS trend,
    highest_score,
    changes,
    if(empty(latest.4), '', concat(
        replaceAll(latest.5[indexOf(latest.4, arrayMax(latest.4))], '_', ' '), ': ',
        latest.6[indexOf(latest.4, arrayMax(latest.4))])) AS top_reason
FROM
(
    SELECT
        user,
        argMax((score, level, policy, `contributions.points`, `contributions.name`, `contributions.detail`), (time, inserted_at)) AS latest,
        max(time) AS last_time,
        argMaxIf(score, (time, inserted_at), time <= now64(3) - INTERVAL 7 DAY) AS score_week_ago,
        max(score) AS highest_score,
        count() AS changes
    FROM ${database}.risk FINAL
    GROUP BY user
) AS people
COMMENT 'The latest risk score of each person.';

CREATE OR REPLACE VIEW ${database}.soc_risk_history
(
    user String COMMENT 'Pseudonym of the person in full',
    user_short String COMMENT 'Pseudonym as shown to people',
    time DateTime64(3, 'UTC') COMMENT 'Event time of the change',
    score Decimal(9, 3) COMMENT 'Score from then on, 0 to 100 points',
    level String COMMENT 'Band of the score',
    policy String COMMENT 'Policy that the score is by',
    cause UUID COMMENT 'Event that moved the score, as in soc_timeline'
)
AS SELECT user, user_short, time, score, level, policy, cause
FROM ${database}.risk FINAL
COMMENT 'How risk scores developed, one row a change.';

-- Copies that were not merged yet count here too: a latency is that of a write.
CREATE OR REPLACE VIEW ${database}.soc_pipeline_latency
(
    minute DateTime('UTC') COMMENT 'Minute in which rows were written',
    stage String COMMENT 'activity (raw record to timeline) or alert (raw record to alert)',
    source String COMMENT 'Feed of an activity, empty for alerts',
    written UInt64 COMMENT 'Rows written in the minute',
    latency_p50 Float64 COMMENT 'Median seconds from the raw record reaching Kafka to the row',
    latency_p95 Float64 COMMENT '95th percentile of the same seconds',
    latency_p99 Float64 COMMENT '99th percentile of the same seconds'
)
AS SELECT
    minute,
    stage,
    source,
    count() AS written,
    quantile(0.5)(seconds) AS latency_p50,
    quantile(0.95)(seconds) AS latency_p95,
    quantile(0.99)(seconds) AS latency_p99
FROM
(
    SELECT toStartOfMinute(inserted_at) AS minute, 'activity' AS stage, toString(source) AS source,
        dateDiff('millisecond', observed_time, inserted_at) / 1000 AS seconds
    FROM ${database}.activity
    UNION ALL
    SELECT toStartOfMinute(inserted_at) AS minute, 'alert' AS stage, '' AS source,
        dateDiff('millisecond', observed_time, inserted_at) / 1000 AS seconds
    FROM ${database}.alert_history
)
GROUP BY minute, stage, source
COMMENT 'How long records take to become rows, by minute of writing.';

-- The five feeds stand here even when nothing ever came: a silent source is a gap in detection.
CREATE OR REPLACE VIEW ${database}.soc_source_health
(
    source String COMMENT 'Feed: signin, email, file, defender or hr',
    last_time Nullable(DateTime64(3, 'UTC')) COMMENT 'Event time of the newest activity; null when none came in 30 days',
    last_observed Nullable(DateTime64(3, 'UTC')) COMMENT 'When the newest raw record reached Kafka; null when none came in 30 days',
    silent_seconds Nullable(Int64) COMMENT 'Seconds since then; null when none came in 30 days',
    activities_hour UInt64 COMMENT 'Activities observed in the last hour',
    activities_day UInt64 COMMENT 'Activities observed in the last 24 hours',
    activities UInt64 COMMENT 'Activities written in the last 30 days'
)
AS SELECT
    feeds.source AS source,
    if(seen.activities = 0, NULL, seen.last_time) AS last_time,
    if(seen.activities = 0, NULL, seen.last_observed) AS last_observed,
    if(seen.activities = 0, NULL, dateDiff('second', seen.last_observed, now64(3))) AS silent_seconds,
    seen.activities_hour AS activities_hour,
    seen.activities_day AS activities_day,
    seen.activities AS activities
FROM (SELECT arrayJoin(['signin', 'email', 'file', 'defender', 'hr']) AS source) AS feeds
LEFT JOIN
(
    SELECT
        toString(source) AS source,
        max(time) AS last_time,
        max(observed_time) AS last_observed,
        countIf(observed_time >= now64(3) - INTERVAL 1 HOUR) AS activities_hour,
        countIf(observed_time >= now64(3) - INTERVAL 1 DAY) AS activities_day,
        count() AS activities
    FROM ${database}.activity
    WHERE inserted_at >= now64(3) - INTERVAL 30 DAY
    GROUP BY source
) AS seen ON feeds.source = seen.source
COMMENT 'Whether each feed delivers, one row a feed.';
