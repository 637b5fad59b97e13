SELECT EXISTS (SELECT 1 FROM pruned_tombstone WHERE due_at > ?1 + coalesce(delay, 2592000000000) OR made_at > ?1);
UPDATE pruned_tombstone SET due_at = CASE WHEN due_at > ?1 + coalesce(delay, 2592000000000) + 86400000000 THEN ?1 ELSE min(due_at, ?1 + coalesce(delay, 2592000000000)) END, made_at = min(made_at, ?1)
	WHERE due_at > ?1 + coalesce(delay, 2592000000000) OR made_at > ?1
