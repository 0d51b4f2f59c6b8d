-- Roles: who may do what. `riskpipe migrate --roles` runs this after the migrations; `--roles --dry-run` prints it, for
-- whoever may make roles. It needs ClickHouse 24.8, and can be run again. Run it again after every migration: a view
-- that was made anew has no definer.
--
-- Nobody has both what people see and what opens names: the soc_ views are granted to people, the database of
-- identities to the vault's service alone, which people are not.

CREATE ROLE IF NOT EXISTS riskpipe_reader;          -- dashboards
CREATE ROLE IF NOT EXISTS riskpipe_analyst;         -- queries of their own
CREATE ROLE IF NOT EXISTS riskpipe_investigator;    -- as analysts; names come from the vault, by request
CREATE ROLE IF NOT EXISTS riskpipe_auditor;         -- the audit trail and nothing else
CREATE ROLE IF NOT EXISTS riskpipe_writer;          -- the sink
CREATE ROLE IF NOT EXISTS riskpipe_owner;           -- riskpipe migrate
CREATE ROLE IF NOT EXISTS riskpipe_identity;        -- the vault's service, which reads identities
CREATE ROLE IF NOT EXISTS riskpipe_identity_writer; -- the sink, which adds identities and cannot read them
CREATE ROLE IF NOT EXISTS riskpipe_identity_owner;  -- riskpipe migrate, which shapes their tables and cannot read them
CREATE ROLE IF NOT EXISTS riskpipe_eraser;          -- riskpipe erase
CREATE ROLE IF NOT EXISTS riskpipe_identity_eraser; -- riskpipe erase and vault shred, which delete what is sealed and cannot read it

-- The views read the tables as a user as whom nobody logs in.
CREATE USER IF NOT EXISTS riskpipe_definer NOT IDENTIFIED HOST NONE;
GRANT SELECT ON ${database}.activity TO riskpipe_definer;
GRANT SELECT ON ${database}.alerts TO riskpipe_definer;
GRANT SELECT ON ${database}.alert_history TO riskpipe_definer;
GRANT SELECT ON ${database}.risk TO riskpipe_definer;
GRANT SELECT ON ${database}.soc_timeline TO riskpipe_definer;

ALTER TABLE ${database}.soc_timeline MODIFY DEFINER = riskpipe_definer SQL SECURITY DEFINER;
GRANT SELECT ON ${database}.soc_timeline TO riskpipe_reader, riskpipe_analyst, riskpipe_investigator;
ALTER TABLE ${database}.soc_alerts MODIFY DEFINER = riskpipe_definer SQL SECURITY DEFINER;
GRANT SELECT ON ${database}.soc_alerts TO riskpipe_reader, riskpipe_analyst, riskpipe_investigator;
ALTER TABLE ${database}.soc_alert_contributions MODIFY DEFINER = riskpipe_definer SQL SECURITY DEFINER;
GRANT SELECT ON ${database}.soc_alert_contributions TO riskpipe_reader, riskpipe_analyst, riskpipe_investigator;
ALTER TABLE ${database}.soc_alert_history MODIFY DEFINER = riskpipe_definer SQL SECURITY DEFINER;
GRANT SELECT ON ${database}.soc_alert_history TO riskpipe_reader, riskpipe_analyst, riskpipe_investigator;
ALTER TABLE ${database}.soc_user_risk MODIFY DEFINER = riskpipe_definer SQL SECURITY DEFINER;
GRANT SELECT ON ${database}.soc_user_risk TO riskpipe_reader, riskpipe_analyst, riskpipe_investigator;
ALTER TABLE ${database}.soc_risk_history MODIFY DEFINER = riskpipe_definer SQL SECURITY DEFINER;
GRANT SELECT ON ${database}.soc_risk_history TO riskpipe_reader, riskpipe_analyst, riskpipe_investigator;
ALTER TABLE ${database}.soc_pipeline_latency MODIFY DEFINER = riskpipe_definer SQL SECURITY DEFINER;
GRANT SELECT ON ${database}.soc_pipeline_latency TO riskpipe_reader, riskpipe_analyst, riskpipe_investigator;
ALTER TABLE ${database}.soc_source_health MODIFY DEFINER = riskpipe_definer SQL SECURITY DEFINER;
GRANT SELECT ON ${database}.soc_source_health TO riskpipe_reader, riskpipe_analyst, riskpipe_investigator;
ALTER TABLE ${database}.soc_exclusions MODIFY DEFINER = riskpipe_definer SQL SECURITY DEFINER;
GRANT SELECT ON ${database}.soc_exclusions TO riskpipe_reader, riskpipe_analyst, riskpipe_investigator;

GRANT SELECT ON ${database}.audit TO riskpipe_auditor;
GRANT SELECT ON ${database}.audit_chains TO riskpipe_auditor;

-- The sink deletes the rows of somebody who was erased.
GRANT INSERT, ALTER DELETE ON ${database}.activity TO riskpipe_writer;
GRANT INSERT, ALTER DELETE ON ${database}.alerts TO riskpipe_writer;
GRANT INSERT, ALTER DELETE ON ${database}.alert_history TO riskpipe_writer;
GRANT INSERT, ALTER DELETE ON ${database}.risk TO riskpipe_writer;
GRANT INSERT ON ${database}.audit TO riskpipe_writer;

GRANT SELECT(user, evidence_key), ALTER DELETE ON ${database}.activity TO riskpipe_eraser;
GRANT SELECT(user), ALTER DELETE ON ${database}.alerts TO riskpipe_eraser;
GRANT SELECT(user), ALTER DELETE ON ${database}.alert_history TO riskpipe_eraser;
GRANT SELECT(user), ALTER DELETE ON ${database}.risk TO riskpipe_eraser;
GRANT SELECT ON system.mutations TO riskpipe_eraser;

GRANT SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP VIEW ON ${database}.* TO riskpipe_owner;

GRANT SELECT ON ${identity_database}.identities TO riskpipe_identity;
GRANT SELECT ON ${identity_database}.evidence_keys TO riskpipe_identity;
GRANT INSERT ON ${identity_database}.identities TO riskpipe_identity_writer;
GRANT INSERT ON ${identity_database}.evidence_keys TO riskpipe_identity_writer;
GRANT ALTER TABLE, CREATE DATABASE, CREATE TABLE ON ${identity_database}.* TO riskpipe_identity_owner;
GRANT SELECT(user), ALTER DELETE ON ${identity_database}.identities TO riskpipe_identity_eraser;
GRANT SELECT(key_id, hour, deleted), ALTER DELETE ON ${identity_database}.evidence_keys TO riskpipe_identity_eraser;
GRANT SELECT ON system.mutations TO riskpipe_identity_eraser;

-- readonly = 1 and not 2, which would let them lift the limits. Grafana sets max_execution_time itself, and fails when
-- it may not.
CREATE SETTINGS PROFILE IF NOT EXISTS riskpipe_readonly
    SETTINGS readonly = 1, max_execution_time = 30 CHANGEABLE_IN_READONLY, max_memory_usage = 4000000000, max_rows_to_read = 2000000000
    TO riskpipe_reader, riskpipe_analyst, riskpipe_investigator, riskpipe_auditor;

CREATE QUOTA IF NOT EXISTS riskpipe_people KEYED BY user_name
    FOR INTERVAL 1 hour MAX queries = 2000, read_rows = 50000000000
    TO riskpipe_analyst, riskpipe_investigator, riskpipe_auditor;
