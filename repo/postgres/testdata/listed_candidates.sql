SELECT c.file_id, c.direction, c.first_seen, c.confirmed, c.confirmed_by, c.claimed_at, NOT EXISTS (SELECT FROM "public"."file" f WHERE f.id = c.file_id OFFSET 0)
   AND NOT EXISTS (SELECT FROM pruned.known_file k
                    WHERE NOT k.literal AND NOT k.is_name AND k.token = lower(c.file_id COLLATE "C") COLLATE "default" OFFSET 0) AS there,
       t.now, least(extract(epoch FROM c.first_seen)::float8, t.now) AS seen,
       t.now - least(extract(epoch FROM coalesce(c.made_at, c.first_seen))::float8, t.now) AS age,
       CASE WHEN b.made_at IS NOT NULL THEN least(extract(epoch FROM b.made_at)::float8, t.now) + @min::float8 - t.now END AS ripe,
       c.size, c.chunks, NULL::float8 AS touched, NULL::float8 AS stamp, NULL::bigint AS settled, false AS in_flight,
       EXISTS (SELECT FROM pruned.hold h JOIN pruned.candidate o ON o.direction = h.direction AND o.store = h.store AND o.file_id = c.file_id
                WHERE h.direction NOT IN ('row', 'collection', 'points') AND NOT o.confirmed) AS held
  FROM (SELECT * FROM pruned.candidate WHERE direction = 'vector') c
  LEFT JOIN LATERAL (SELECT made_at FROM pruned.candidate b WHERE b.direction = 'bytes' AND b.file_id = c.file_id OFFSET 0) b ON true
 CROSS JOIN LATERAL (SELECT extract(epoch FROM statement_timestamp())::float8 AS now) t
