SELECT c.file_id, c.first_seen, c.confirmed, c.confirmed_by, c.claimed_at, c.made_at, b.made_at, 0, c.size, c.chunks,
       EXISTS (SELECT 1 FROM pruned_hold h CROSS JOIN pruned_candidate o ON o.direction = h.direction AND o.store = h.store AND o.file_id = c.file_id
                WHERE h.direction NOT IN ('row', 'collection', 'points') AND NOT o.confirmed)
  FROM pruned_candidate c LEFT JOIN pruned_candidate b ON b.direction = 'bytes' AND b.file_id = c.file_id
 WHERE c.direction = 'vector' AND c.file_id > @after AND NOT EXISTS (SELECT 1 FROM file f WHERE f.id IN (c.file_id, lower(c.file_id), upper(c.file_id)))
 ORDER BY c.file_id LIMIT @limit
