-- Of what was written within a day, how much carries sealed evidence.
SELECT count() AS written, countIf(evidence_key != '') AS sealed FROM {database:Identifier}.activity WHERE inserted_at > now() - INTERVAL 1 DAY
