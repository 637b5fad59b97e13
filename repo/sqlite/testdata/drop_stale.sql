DELETE FROM pruned_candidate AS c WHERE direction = ?1 AND (sweep <> ?2 OR NOT (NOT EXISTS (SELECT 1 FROM file f WHERE f.id IN (c.file_id, lower(c.file_id), upper(c.file_id)))))
