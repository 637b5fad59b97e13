INSERT INTO pruned.trash AS t (file_id, identity, path, name, filename, owner, size, keep, content)
SELECT f.id::text, $2::text, coalesce(f.path, '')::text, split_part(coalesce(f.path, ''), '/', -1), coalesce(f.filename, ''), coalesce(f.user_id::text, ''),
       coalesce((SELECT CASE WHEN octet_length(s.digits) <= 18 THEN s.digits END
               FROM (SELECT CASE WHEN octet_length(m.text) <= 67108864
                                 THEN substring(m.text FROM '"size"\s*:\s*"?([0-9]+)"?\s*[,}]') END AS digits
                       FROM (SELECT f.meta::text COLLATE "C" AS text OFFSET 0) m OFFSET 0) s)::bigint, 0), $3::float8, row_to_json(f)
  FROM "public"."file" f WHERE f.id = ANY ($1::text[])
    ON CONFLICT (file_id) DO UPDATE
   SET identity = excluded.identity, path = excluded.path, name = excluded.name, filename = excluded.filename, owner = excluded.owner,
       size = excluded.size, made_at = excluded.made_at, keep = excluded.keep, bytes_gone = false, content = excluded.content
RETURNING t.file_id, t.path
