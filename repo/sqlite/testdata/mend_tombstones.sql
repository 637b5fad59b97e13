SELECT EXISTS (SELECT 1 FROM pruned_tombstone WHERE due_at > @now + coalesce(delay, 2592000000000) OR made_at > @now);
UPDATE pruned_tombstone SET due_at = CASE WHEN due_at > @now + coalesce(delay, 2592000000000) + 86400000000 THEN @now ELSE min(due_at, @now + coalesce(delay, 2592000000000)) END, made_at = min(made_at, @now)
	WHERE due_at > @now + coalesce(delay, 2592000000000) OR made_at > @now
