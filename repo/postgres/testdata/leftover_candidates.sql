SELECT c.file_id, c.direction, c.first_seen, c.confirmed, c.confirmed_by, c.claimed_at, true AS there,
       t.now, t.seen, t.now - t.seen AS age, t.seen + @min::float8 - t.now AS ripe,
       c.size, c.chunks, NULL::float8 AS touched, NULL::float8 AS stamp, NULL::bigint AS settled, false AS in_flight,
       NOT c.confirmed AND EXISTS (SELECT FROM pruned.hold h WHERE h.direction = c.direction AND h.store = c.store) AS held
  FROM (SELECT * FROM pruned.candidate WHERE direction = 'points') c
 CROSS JOIN LATERAL (SELECT extract(epoch FROM statement_timestamp())::float8 AS now) n
 CROSS JOIN LATERAL (SELECT n.now, least(extract(epoch FROM c.first_seen)::float8, n.now) AS seen) t
