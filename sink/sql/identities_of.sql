-- What each feed knows of a pseudonym, sealed.
SELECT key_version, toUnixTimestamp64Milli(updated_time), sealed, sealing_key
FROM ${identity_database}.identities FINAL
WHERE user = ?
