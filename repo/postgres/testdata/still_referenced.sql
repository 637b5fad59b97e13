SELECT true, '', '' WHERE 
       (SELECT count(*) FILTER (WHERE lost) * 2 > count(*) AND (bool_or(fresh) OR NOT EXISTS (SELECT FROM "public"."file"))
          FROM (SELECT made_at > clock_timestamp() - interval '1 day' - make_interval(secs => coalesce(delay, 2592000)) AS fresh,
                       NOT EXISTS (SELECT FROM "public"."file" f WHERE f.id = s.id)
                       AND NOT EXISTS (SELECT FROM pruned.ledger l WHERE l.file_id = s.id AND l.outcome = 'deleted') AS lost
                  FROM (SELECT * FROM pruned.survivor WHERE identity = @identity::text ORDER BY seq DESC LIMIT 1) last
                 CROSS JOIN unnest(last.files) s (id)) w)
UNION ALL
SELECT false, id::text, split_part(coalesce(path, ''), '/', -1) FROM "public"."file" WHERE id = ANY (@ids::text[])
UNION ALL
SELECT false, f.id::text, n.name FROM "public"."file" f JOIN unnest(@names::text[]) n (name) ON n.name = split_part(f.path, '/', -1)
UNION ALL
SELECT false, '', name FROM pruned.trash WHERE name = ANY (@names::text[]) AND NOT bytes_gone
