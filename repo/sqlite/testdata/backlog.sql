WITH waiting AS (SELECT * FROM pruned_tombstone WHERE identity = @identity AND kind IN (SELECT value FROM json_each(@kinds)))
SELECT count(*), min(CASE WHEN due_at > @now + coalesce(delay, 2592000000000) + 86400000000 THEN @now ELSE min(due_at, @now + coalesce(delay, 2592000000000)) END),
       count(*) FILTER (WHERE attempts > 0),
       coalesce((SELECT error FROM waiting WHERE attempts > 0 ORDER BY attempts DESC, seq LIMIT 1), '')
  FROM waiting
