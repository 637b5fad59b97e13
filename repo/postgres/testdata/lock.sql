SELECT f.id::text, coalesce(f.path, '')::text,
       t.now - t.made,
       greatest(t.made + @min::float8 - t.now,
                CASE WHEN in_flight.yes THEN t.touched + @pending::float8 - t.now END),
       in_flight.yes, coalesce(t.now - c.seen, 0)::float8, c.seen IS NOT NULL
  FROM "public"."file" f
  LEFT JOIN (SELECT file_id, extract(epoch FROM first_seen)::float8 AS seen FROM pruned.candidate
              WHERE direction = 'row' AND first_seen <= clock_timestamp()) c
         ON c.file_id = f.id
 CROSS JOIN LATERAL (SELECT extract(epoch FROM clock_timestamp())::float8 AS now) n
 CROSS JOIN LATERAL (SELECT n.now, coalesce((CASE WHEN (CASE WHEN f.created_at::float8 >= 1e17 THEN f.created_at::float8 / 1e9 WHEN f.created_at::float8 >= 1e14 THEN f.created_at::float8 / 1e6 WHEN f.created_at::float8 >= 1e11 THEN f.created_at::float8 / 1e3 WHEN f.created_at::float8 >= 1e9 THEN f.created_at::float8 END) <= n.now THEN (CASE WHEN f.created_at::float8 >= 1e17 THEN f.created_at::float8 / 1e9 WHEN f.created_at::float8 >= 1e14 THEN f.created_at::float8 / 1e6 WHEN f.created_at::float8 >= 1e11 THEN f.created_at::float8 / 1e3 WHEN f.created_at::float8 >= 1e9 THEN f.created_at::float8 END) END), c.seen, n.now) AS made,
                            coalesce(greatest((CASE WHEN (CASE WHEN f.created_at::float8 >= 1e17 THEN f.created_at::float8 / 1e9 WHEN f.created_at::float8 >= 1e14 THEN f.created_at::float8 / 1e6 WHEN f.created_at::float8 >= 1e11 THEN f.created_at::float8 / 1e3 WHEN f.created_at::float8 >= 1e9 THEN f.created_at::float8 END) <= n.now THEN (CASE WHEN f.created_at::float8 >= 1e17 THEN f.created_at::float8 / 1e9 WHEN f.created_at::float8 >= 1e14 THEN f.created_at::float8 / 1e6 WHEN f.created_at::float8 >= 1e11 THEN f.created_at::float8 / 1e3 WHEN f.created_at::float8 >= 1e9 THEN f.created_at::float8 END) END), (CASE WHEN (CASE WHEN f.updated_at::float8 >= 1e17 THEN f.updated_at::float8 / 1e9 WHEN f.updated_at::float8 >= 1e14 THEN f.updated_at::float8 / 1e6 WHEN f.updated_at::float8 >= 1e11 THEN f.updated_at::float8 / 1e3 WHEN f.updated_at::float8 >= 1e9 THEN f.updated_at::float8 END) <= n.now THEN (CASE WHEN f.updated_at::float8 >= 1e17 THEN f.updated_at::float8 / 1e9 WHEN f.updated_at::float8 >= 1e14 THEN f.updated_at::float8 / 1e6 WHEN f.updated_at::float8 >= 1e11 THEN f.updated_at::float8 / 1e3 WHEN f.updated_at::float8 >= 1e9 THEN f.updated_at::float8 END) END)), c.seen, n.now) AS touched) t
 CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN t.touched > t.now - @pending::float8
                                          THEN (SELECT CASE WHEN octet_length(d.text) > 67108864 THEN true
                    ELSE d.text ~ '"status"\s*:\s*"(pending|processing)"' END
               FROM (SELECT f.data::text COLLATE "C" AS text OFFSET 0) d) END, false) AS yes) in_flight
 WHERE f.id = ANY (@ids::text[])
 ORDER BY f.id
   FOR UPDATE OF f SKIP LOCKED
