SELECT kind, name, toString(points) AS share, detail, ifNull(toString(score_without), '') AS without
FROM soc_alert_contributions
WHERE alert_id = {alert:UUID}
ORDER BY position
