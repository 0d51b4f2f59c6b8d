-- What is held of a user, for that user; About takes the statements in this order.

-- Activities, without what is sealed.
SELECT * EXCEPT (user, evidence, inserted_at) FROM ${database}.activity FINAL WHERE user = ? ORDER BY time, event_id;

-- Every version of every alert.
SELECT * EXCEPT (user, inserted_at) FROM ${database}.alert_history FINAL WHERE user = ? ORDER BY alert_id, version;

-- Changes of risk.
SELECT * EXCEPT (user, inserted_at) FROM ${database}.risk FINAL WHERE user = ? ORDER BY time, sequence, cause;

-- Sealed evidence, with the id of its data key.
SELECT toString(event_id), evidence_key, evidence FROM ${database}.activity FINAL WHERE user = ? AND evidence != '';

-- A data key that is kept still.
SELECT vault_key, toUnixTimestamp64Milli(hour), format, wrapped FROM ${identity_database}.evidence_keys FINAL WHERE key_id = ?;
