-- An example that `riskpipe migrate --roles` does not run: activities of the people in the group "priority" are for few.
-- The views read as their definer, so a policy for it holds for everybody who reads them; the few read the table.
-- Only activities carry groups: alerts and risk scores are not kept apart by this.

CREATE ROLE IF NOT EXISTS riskpipe_priority;
GRANT SELECT ON ${database}.activity TO riskpipe_priority;
CREATE ROW POLICY IF NOT EXISTS riskpipe_others ON ${database}.activity USING NOT has(groups, 'priority') TO riskpipe_definer;
CREATE ROW POLICY IF NOT EXISTS riskpipe_all ON ${database}.activity USING 1 TO riskpipe_priority;
