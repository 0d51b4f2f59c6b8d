SELECT
    count() AS written,
    quantileExact(0.5)(dateDiff('millisecond', observed_time, inserted_at)) AS median,
    quantileExact(0.99)(dateDiff('millisecond', observed_time, inserted_at)) AS slowest
FROM soc_timeline
WHERE observed_time >= fromUnixTimestamp64Milli({since:Int64})
