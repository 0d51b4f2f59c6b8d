SELECT
    count() AS written,
    arrayMap(ms -> ms / 1000, quantilesExact(0.5, 0.99, 0.999, 1)(dateDiff('millisecond', observed_time, inserted_at))) AS seconds
FROM soc_timeline
WHERE observed_time >= fromUnixTimestamp64Milli({since:Int64})
