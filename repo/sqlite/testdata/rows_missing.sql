SELECT count(*) FILTER (WHERE lost) * 2 > count(*) AND (max(fresh) OR NOT EXISTS (SELECT 1 FROM file))
  FROM (SELECT coalesce(t.made_at, 0) > @now - 86400000000 - coalesce(delay, 2592000000000) AS fresh,
               NOT EXISTS (SELECT 1 FROM file f WHERE f.id = b.value)
               AND NOT EXISTS (SELECT 1 FROM pruned_ledger l WHERE l.file_id = b.value AND l.outcome = 'deleted') AS lost
          FROM (SELECT * FROM pruned_tombstone WHERE identity = @identity ORDER BY seq DESC LIMIT 1) t, json_each(t.beside) b)
