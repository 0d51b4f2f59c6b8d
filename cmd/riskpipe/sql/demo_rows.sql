SELECT
    (SELECT count() FROM soc_timeline) AS activities,
    (SELECT uniqExact(user) FROM soc_timeline WHERE user != '') AS users,
    (SELECT count() FROM soc_user_risk) AS scored
