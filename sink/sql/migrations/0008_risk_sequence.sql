-- A scorer that has lost its partition can write a change behind newer ones, at the same event time and even by the
-- same event. So the sequence of changes is part of a row's identity, where the later insert would win, and tells which
-- of several changes at one time is the latest.
--
-- A sorting key takes columns that are added in the same statement; the primary key and what lies on disk stay.
ALTER TABLE ${database}.risk
    ADD COLUMN IF NOT EXISTS sequence Int64 COMMENT 'Which change of the person this is, counted from 1; 0 in rows from before this was counted' AFTER expires,
    MODIFY ORDER BY (user, time, cause, sequence);

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
    level_now String COMMENT 'The level in force: level, or none when it has expired',
    sequence Int64 COMMENT 'Which change of the person the latest is, counted from 1; 0 when it was not counted'
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
    if(ifNull(expires < now64(3), false), 'none', level) AS level_now,
    latest.9 AS sequence
FROM
(
    -- Corrections by late events stand at the time of the newest event, so several changes may have one time. Time goes
    -- first: it never goes back, and a sequence begins anew with a state that is made from a log whose beginning is gone.
    SELECT
        user,
        argMax((score, level, policy, `contributions.points`, `contributions.name`, `contributions.detail`, delta, expires, sequence), (time, sequence, record_offset, inserted_at)) AS latest,
        max(time) AS last_time,
        argMaxIf(score, (time, sequence, record_offset, inserted_at), time <= now64(3) - INTERVAL 7 DAY) AS score_week_ago,
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
    expires Nullable(DateTime64(3, 'UTC')) COMMENT 'When the level lapses to none unless it is extended; null when the level is none or nothing was said',
    sequence Int64 COMMENT 'Which change of the person this is, counted from 1; 0 when it was not counted'
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
    expires,
    sequence
FROM ${database}.risk FINAL
COMMENT 'How risk scores developed, one row a change.';
