-- The views of 0002 over the columns of 0003, and soc_exclusions. Columns are added at the end; those of before keep
-- their names, types and meaning. Views that are not here are as 0002 has them.
--
-- LowCardinality columns are cast to the String that is promised: a condition such as policy = '' makes ClickHouse ask
-- for the column's size, which a LowCardinality column does not have, and the query fails.

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
    inserted_at DateTime64(3, 'UTC') COMMENT 'When the row was written',
    `groups` Array(String) COMMENT 'The organisation''s groups that the person was in at the time',
    marks Array(String) COMMENT 'The organisation''s content rules that match, such as priority content and exclusions',
    destination_category String COMMENT 'Category of a visited site, such as gambling, phishing or llm; empty when in none',
    health_record UInt64 COMMENT 'Keyed hash of a patient''s record, 0 otherwise: counts distinct patients'
)
AS WITH
    activity LIKE 'web.%' OR activity LIKE 'network.%' OR activity LIKE 'browsing.%' AS on_the_web,
    -- object.verb in words; the particular spellings first.
    replaceRegexpOne(replaceRegexpAll(activity, '[._]', ' '), ' external$', ' outside the organisation') AS words,
    multiIf(
        destination_category = 'llm' OR (destination_category = '' AND destination_class = 'ai'), 'an AI site',
        destination_category = '', 'a site',
        concat(if(match(destination_category, '^[aeiou]'), 'an ', 'a '), replaceAll(destination_category, '_', ' '), ' site')) AS site,
    concat('a ', if(health_employee, 'colleague''s ', ''), if(health_restricted, 'restricted ', ''), 'patient record') AS patient_record
SELECT
    time,
    user,
    user_short,
    -- The first branch that holds decides, so particular activities stand before families of them.
    multiIf(
        activity LIKE 'hr.%' OR activity LIKE 'account.%', 'HR',
        activity LIKE 'ai.%' OR file_location = 'copilot' OR (on_the_web AND (destination_class = 'ai' OR destination_category = 'llm')), 'AI',
        on_the_web AND destination_category IN ('hacking', 'illegal_software', 'keylogger', 'malware', 'phishing'), 'Security',
        activity IN ('file.renamed', 'file.archived', 'file.label_removed', 'file.label_downgraded',
            'file.protection_removed', 'file.protection_changed'), 'Obfuscation',
        activity IN ('file.malware_detected', 'file.downloaded_from_browser'), 'Infiltration',
        activity LIKE 'detection.%' OR activity LIKE 'signin.%risk%' OR activity IN ('email.permission_granted',
            'file.permission_changed', 'site.admin_added', 'site.admin_removed'), 'Security',
        activity LIKE '%.deleted' OR activity LIKE '%.purged' OR activity LIKE '%.recycled' OR activity LIKE '%.version_deleted', 'Deletion',
        activity LIKE 'file.copied_to_%' OR activity IN ('file.uploaded_to_cloud', 'file.pasted_to_browser', 'file.printed',
            'file.shared_external', 'file.anonymous_link_created', 'file.anonymous_link_updated', 'email.sent_external',
            'email.forwarding_set', 'file.accessed_by_unallowed_app', 'health.record_exported', 'health.record_printed')
            OR (activity = 'email.rule_created' AND email_rule IN ('forward', 'redirect')), 'Exfiltration',
        activity IN ('file.downloaded', 'file.synced', 'file.copied', 'device.screenshot_taken', 'device.clipboard_read',
            'site.sync_client_connected'), 'Collection',
        activity LIKE 'device.%' OR activity = 'email.rule_created', 'Security',
        'Access') AS category,
    multiIf(
        activity = 'web.visited', concat('Visited ', site),
        activity = 'network.connected' AND destination_category != '', concat('Connected to ', site),
        activity = 'health.record_accessed', concat('Opened ', patient_record),
        activity = 'health.record_modified', concat('Changed ', patient_record),
        activity LIKE 'health.record%', concat(upper(substring(words, 15, 1)), substring(words, 16), ' ', patient_record),
        activity = 'ai.risky_prompt', 'Risky prompt to AI',
        activity = 'browsing.clicked', if(destination_category = '', 'Link clicked', concat('Link clicked to ', site)),
        activity = 'email.attachment', 'Email with attachment',
        activity = 'file.other', 'Other file activity',
        activity = 'file.sensitive_read', 'Sensitive file read',
        activity = 'page.view_signaled', 'Page viewed',
        activity = 'signin.signed_out', 'Signed out',
        activity LIKE 'signin.user%', concat('User', substring(words, 12)),
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
        multiIf(
            destination_class = '' OR (activity = 'web.visited' AND destination_class = 'ai'), '',
            activity = 'web.visited', concat(replaceAll(destination_class, '_', ' '), ' site'),
            concat('to ', replaceAll(destination_class, '_', ' '))),
        if(destination_category != '' AND NOT on_the_web, concat('site category ', replaceAll(destination_category, '_', ' ')), ''),
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
        if(hr_direction != '', concat('direction ', hr_direction), ''),
        if(health_break_glass, 'access restriction overridden', ''),
        if(empty(marks), '', concat('content rule ', arrayStringConcat(marks, ', ')))
    ]), ' · ') AS detail,
    CAST(outcome, 'String') AS outcome,
    CAST(source, 'String') AS source,
    CAST(activity, 'String') AS activity,
    CAST(operation, 'String') AS operation,
    CAST(actor_type, 'String') AS actor_type,
    CAST(application, 'String') AS application,
    CAST(file_location, 'String') AS location,
    CAST(file_extension, 'String') AS extension,
    size,
    greatest(file_count, email_messages, 1) AS objects,
    CAST(label, 'String') AS label,
    sensitive_types,
    CAST(destination_class, 'String') AS destination_class,
    destination_external,
    email_recipients AS recipients,
    CAST(source_country, 'String') AS country,
    CAST(detection_severity, 'String') AS severity,
    CAST(enforcement, 'String') AS enforcement,
    event_id,
    observed_time,
    inserted_at,
    `groups`,
    marks,
    CAST(destination_category, 'String') AS destination_category,
    health_record
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
    event_ids Array(UUID) COMMENT 'Events behind the score: by indicator, the newest few of each, newest first, as in soc_timeline',
    observed_time DateTime64(3, 'UTC') COMMENT 'When the raw record behind the latest change reached Kafka',
    inserted_at DateTime64(3, 'UTC') COMMENT 'When the latest change was written',
    state String COMMENT 'open, quiet (open, but no evidence came until quiet_at: the person''s next event closes it) or closed',
    trigger String COMMENT 'What brought the person into the policy, in words',
    change String COMMENT 'What the latest change is: opened, updated, escalated, deescalated, closed, reopened or empty',
    hold String COMMENT 'Why nobody is to be told of it: throttled, suppressed or empty',
    hold_reason String COMMENT 'The reason given for a suppression, or the limit that throttles',
    hold_until Nullable(DateTime64(3, 'UTC')) COMMENT 'When the suppression or throttling ends; null when it is not held',
    held Bool COMMENT 'Whether it is held now: hold is set and its end has not come',
    quiet_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it closes unless more evidence comes; null when not said'
)
AS SELECT
    alert_id,
    user,
    user_short,
    CAST(policy, 'String') AS policy,
    policy_version,
    lower(hex(policy_hash)) AS policy_hash,
    CAST(status, 'String') AS status,
    CAST(severity, 'String') AS severity,
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
    inserted_at,
    -- Nobody writes a version when quiet_at comes, nor when a hold ends, so the clock decides.
    if(status = 'open' AND ifNull(quiet_at < now64(3), false), 'quiet', status) AS state,
    trigger,
    CAST(change, 'String') AS change,
    CAST(hold, 'String') AS hold,
    hold_reason,
    hold_until,
    toBool(hold != '' AND ifNull(hold_until > now64(3), true)) AS held,
    quiet_at
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
    kind String COMMENT 'indicator (evidence by itself), sequence (ordered steps with one object), cumulative (low and slow), booster (how unusual the evidence is for the person) or modifier (a fact about the person that multiplied it)',
    name String COMMENT 'Name of the indicator, sequence, booster or modifier',
    points Decimal(9, 3) COMMENT 'Share of the score in points; negative for a booster when the evidence is usual for the person',
    detail String COMMENT 'The numbers behind it, in words',
    score_without Nullable(Decimal(9, 3)) COMMENT 'What the score would be without this factor; null when not worked out',
    updated_at DateTime64(3, 'UTC') COMMENT 'Event time of the latest change of the alert'
)
AS SELECT
    alert_id,
    user,
    user_short,
    CAST(policy, 'String') AS policy,
    score,
    toUInt32(number) AS position,
    CAST(kind, 'String') AS kind,
    CAST(name, 'String') AS name,
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
    inserted_at DateTime64(3, 'UTC') COMMENT 'When this version was written',
    change String COMMENT 'What this version is: opened, updated, escalated, deescalated, closed, reopened or empty',
    hold String COMMENT 'Why nobody was to be told of this version: throttled, suppressed or empty',
    hold_reason String COMMENT 'The reason given for a suppression, or the limit that throttles'
)
AS SELECT
    alert_id,
    version,
    user,
    user_short,
    CAST(policy, 'String') AS policy,
    CAST(status, 'String') AS status,
    CAST(severity, 'String') AS severity,
    score,
    updated_at,
    observed_time,
    inserted_at,
    CAST(change, 'String') AS change,
    CAST(hold, 'String') AS hold,
    hold_reason
FROM ${database}.alert_history FINAL
COMMENT 'How alerts developed, one row a version.';

CREATE OR REPLACE VIEW ${database}.soc_user_risk
(
    user String COMMENT 'Pseudonym of the person in full',
    user_short String COMMENT 'Pseudonym as shown to people',
    score Decimal(9, 3) COMMENT 'Latest risk score, 0 to 100 points',
    level String COMMENT 'none, minor, moderate or elevated, as the latest change said it; level_now is what holds',
    policy String COMMENT 'Policy that the score is by',
    time DateTime64(3, 'UTC') COMMENT 'Event time of the latest change',
    score_week_ago Decimal(9, 3) COMMENT 'Score in force seven days ago, 0 when there was none',
    change Decimal(9, 3) COMMENT 'Latest score less the score of seven days ago',
    trend String COMMENT 'rising or falling by at least 5 points over seven days, else steady',
    highest_score Decimal(9, 3) COMMENT 'Highest score kept',
    changes UInt64 COMMENT 'Number of changes kept',
    top_reason String COMMENT 'The contribution with the most points, in words',
    delta Decimal(9, 3) COMMENT 'What the latest change added to the score, in points',
    expires Nullable(DateTime64(3, 'UTC')) COMMENT 'When the level lapses to none unless it is extended; null when the level is none or nothing was said',
    level_now String COMMENT 'The level in force: level, or none when it has expired'
)
AS SELECT
    user,
    substring(user, 1, 13) AS user_short,
    latest.1 AS score,
    CAST(latest.2, 'String') AS level,
    CAST(latest.3, 'String') AS policy,
    last_time AS time,
    score_week_ago,
    latest.1 - score_week_ago AS change,
    multiIf(change >= 5, 'rising', change <= -5, 'falling', 'steady') AS trend,
    highest_score,
    changes,
    if(empty(latest.4), '', concat(
        replaceAll(latest.5[indexOf(latest.4, arrayMax(latest.4))], '_', ' '), ': ',
        latest.6[indexOf(latest.4, arrayMax(latest.4))])) AS top_reason,
    latest.7 AS delta,
    latest.8 AS expires,
    if(ifNull(expires < now64(3), false), 'none', level) AS level_now
FROM
(
    -- Corrections by late events stand at the time of the newest event, so several changes may have one time.
    SELECT
        user,
        argMax((score, level, policy, `contributions.points`, `contributions.name`, `contributions.detail`, delta, expires), (time, record_offset, inserted_at)) AS latest,
        max(time) AS last_time,
        argMaxIf(score, (time, record_offset, inserted_at), time <= now64(3) - INTERVAL 7 DAY) AS score_week_ago,
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
    cause UUID COMMENT 'Event that moved the score, as in soc_timeline',
    delta Decimal(9, 3) COMMENT 'Change since the score before, in points; negative when evidence was corrected, decayed or lost its ground',
    late Bool COMMENT 'Whether the cause was late, so that this is a correction',
    expires Nullable(DateTime64(3, 'UTC')) COMMENT 'When the level lapses to none unless it is extended; null when the level is none or nothing was said'
)
AS SELECT
    user,
    user_short,
    time,
    score,
    CAST(level, 'String') AS level,
    CAST(policy, 'String') AS policy,
    cause,
    delta,
    late,
    expires
FROM ${database}.risk FINAL
COMMENT 'How risk scores developed, one row a change.';

-- What a content rule excludes is not scored, so a rule that is too wide leaves a blind spot.
CREATE OR REPLACE VIEW ${database}.soc_exclusions
(
    day Date COMMENT 'Day of the activities, UTC',
    mark String COMMENT 'Name of the content rule; the policies say whether it excludes',
    events UInt64 COMMENT 'Activities of the day that carry the mark',
    people UInt64 COMMENT 'Different people who did them'
)
AS SELECT
    toDate(time) AS day,
    CAST(mark, 'String') AS mark,
    count() AS events,
    uniqExactIf(user, user != '') AS people
FROM ${database}.soc_timeline
ARRAY JOIN marks AS mark
GROUP BY day, mark
COMMENT 'How many activities each content rule matches, one row a rule and day.';
