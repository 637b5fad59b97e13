SELECT c.file_id, c.direction, c.first_seen, c.confirmed, c.confirmed_by, c.claimed_at, f.id IS NOT NULL AS there,
       t.now, t.seen, t.now - t.made AS age,
       greatest(t.made + @min::float8 - t.now, CASE WHEN in_flight.yes THEN t.touched + @pending::float8 - t.now END) AS ripe,
       CASE WHEN c.made_at IS NULL THEN coalesce((SELECT CASE WHEN octet_length(s.digits) <= 18 THEN s.digits END
               FROM (SELECT CASE WHEN octet_length(m.text) <= 67108864
                                 THEN substring(m.text FROM '"size"\s*:\s*"?([0-9]+)"?\s*[,}]') END AS digits
                       FROM (SELECT f.meta::text COLLATE "C" AS text OFFSET 0) m OFFSET 0) s)::bigint, 0) ELSE c.size END AS size,
       c.chunks, t.touched, t.stamp, c.settled, in_flight.yes AS in_flight,
       NOT c.confirmed AND EXISTS (SELECT FROM pruned.hold WHERE direction = 'row') AS held
  FROM (SELECT * FROM pruned.candidate WHERE direction = 'row') c
  LEFT JOIN LATERAL (SELECT * FROM "public"."file" f WHERE f.id = c.file_id OFFSET 0) f ON true
 CROSS JOIN LATERAL (SELECT extract(epoch FROM statement_timestamp())::float8 AS now) n
 CROSS JOIN LATERAL (SELECT n.now, least(extract(epoch FROM c.first_seen)::float8, n.now) AS seen) s
 CROSS JOIN LATERAL (SELECT n.now, s.seen, coalesce((CASE WHEN (CASE WHEN f.created_at::float8 >= 1e17 THEN f.created_at::float8 / 1e9 WHEN f.created_at::float8 >= 1e14 THEN f.created_at::float8 / 1e6 WHEN f.created_at::float8 >= 1e11 THEN f.created_at::float8 / 1e3 WHEN f.created_at::float8 >= 1e9 THEN f.created_at::float8 END) <= n.now THEN (CASE WHEN f.created_at::float8 >= 1e17 THEN f.created_at::float8 / 1e9 WHEN f.created_at::float8 >= 1e14 THEN f.created_at::float8 / 1e6 WHEN f.created_at::float8 >= 1e11 THEN f.created_at::float8 / 1e3 WHEN f.created_at::float8 >= 1e9 THEN f.created_at::float8 END) END), s.seen) AS made,
                            coalesce(greatest((CASE WHEN (CASE WHEN f.created_at::float8 >= 1e17 THEN f.created_at::float8 / 1e9 WHEN f.created_at::float8 >= 1e14 THEN f.created_at::float8 / 1e6 WHEN f.created_at::float8 >= 1e11 THEN f.created_at::float8 / 1e3 WHEN f.created_at::float8 >= 1e9 THEN f.created_at::float8 END) <= n.now THEN (CASE WHEN f.created_at::float8 >= 1e17 THEN f.created_at::float8 / 1e9 WHEN f.created_at::float8 >= 1e14 THEN f.created_at::float8 / 1e6 WHEN f.created_at::float8 >= 1e11 THEN f.created_at::float8 / 1e3 WHEN f.created_at::float8 >= 1e9 THEN f.created_at::float8 END) END), (CASE WHEN (CASE WHEN f.updated_at::float8 >= 1e17 THEN f.updated_at::float8 / 1e9 WHEN f.updated_at::float8 >= 1e14 THEN f.updated_at::float8 / 1e6 WHEN f.updated_at::float8 >= 1e11 THEN f.updated_at::float8 / 1e3 WHEN f.updated_at::float8 >= 1e9 THEN f.updated_at::float8 END) <= n.now THEN (CASE WHEN f.updated_at::float8 >= 1e17 THEN f.updated_at::float8 / 1e9 WHEN f.updated_at::float8 >= 1e14 THEN f.updated_at::float8 / 1e6 WHEN f.updated_at::float8 >= 1e11 THEN f.updated_at::float8 / 1e3 WHEN f.updated_at::float8 >= 1e9 THEN f.updated_at::float8 END) END)), s.seen) AS touched,
                            coalesce(greatest(f.created_at, f.updated_at), 0)::float8 AS stamp OFFSET 0) t
 CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN t.touched > t.now - @pending::float8 AND t.stamp IS DISTINCT FROM c.settled
                                          THEN (SELECT CASE WHEN octet_length(d.text) > 67108864 THEN true
                    ELSE d.text ~ '"status"\s*:\s*"(pending|processing)"' END
               FROM (SELECT f.data::text COLLATE "C" AS text OFFSET 0) d) END, false) AS yes) in_flight
