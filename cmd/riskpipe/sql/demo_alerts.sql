SELECT alert_id, user, user_short, severity, toString(score) AS points, opened_at, status, top_reason
FROM soc_alerts
ORDER BY score DESC, opened_at, alert_id
