SELECT c.file_id, EXISTS (SELECT 1 FROM pruned_ledger l WHERE l.file_id = c.file_id AND l.outcome = 'deleted')
  FROM (SELECT value AS file_id FROM json_each(?1)) c WHERE NOT EXISTS (SELECT 1 FROM file f WHERE f.id IN (c.file_id, lower(c.file_id), upper(c.file_id)))
