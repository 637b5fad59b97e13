SELECT c.file_id, c.first_seen, c.confirmed, c.confirmed_by, c.claimed_at, NULL, NULL, 0, c.size, c.chunks,
       NOT c.confirmed AND EXISTS (SELECT 1 FROM pruned_hold h WHERE h.direction = c.direction AND h.store = c.store)
  FROM pruned_candidate c
 WHERE c.direction = 'points' AND c.file_id > @after
 ORDER BY c.file_id LIMIT @limit
