-- The audit trail as it is stored, copies and forgeries included, each chain in its order.
SELECT toString(writer), sequence, toUnixTimestamp64Milli(time), actor, toString(action), subject, `case`, detail, toString(previous), toString(hash)
FROM ${database}.audit
ORDER BY writer, sequence, hash
