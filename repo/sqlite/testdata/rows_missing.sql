SELECT count(*) FILTER (WHERE lost) * 2 > count(*) AND (max(fresh) OR NOT EXISTS (SELECT 1 FROM file))
  FROM (SELECT made_at > @now - 86400000000 - coalesce(delay, 2592000000000) AS fresh,
               NOT EXISTS (SELECT 1 FROM file f WHERE f.id = s.value)
               AND NOT EXISTS (SELECT 1 FROM pruned_ledger l WHERE l.file_id = s.value AND l.outcome = 'deleted') AS lost
          FROM pruned_survivor, json_each(files) s WHERE identity = @identity)
