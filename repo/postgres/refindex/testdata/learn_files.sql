WITH gone AS (
    DELETE FROM pruned.known_file k WHERE k.is_name AND k.file_id IN (
        (SELECT file_id FROM pruned.known_file WHERE is_name EXCEPT SELECT name FROM pruned.name)
         UNION ALL
        SELECT n.name FROM pruned.name n JOIN "public"."file" f ON f.id = n.name) RETURNING file_id)
DELETE FROM pruned.reference WHERE ctid = ANY (ARRAY(
    SELECT r.at FROM gone g
     CROSS JOIN LATERAL (SELECT ctid FROM pruned.reference WHERE file_id = g.file_id OFFSET 0) r (at)));
INSERT INTO pruned.known_file (file_id, token, literal, name, is_name, generation)
SELECT t.id, t.token, (t.token NOT LIKE '________-____-____-____-____________' OR t.token ~ '[^0-9a-f-]'
       OR length(replace(t.token, '-', '')) <> 32),
       CASE WHEN octet_length(t.name) > 1024 OR lower(left(t.name, 36) COLLATE "C") = t.token THEN '' ELSE t.name END, t.is_name,
       CASE WHEN (t.token NOT LIKE '________-____-____-____-____________' OR t.token ~ '[^0-9a-f-]'
       OR length(replace(t.token, '-', '')) <> 32) THEN CASE WHEN
                 t.token COLLATE "C" ~ '^[0-9a-z._~-]+$' AND t.token COLLATE "C" !~ '^([0-9e._~-]*|([0-9a-f]{4}-?){8}|-?0(x[0-9a-f._p-]*|b[01_]*|o[0-7_]*)|-?inf(inity)?|nan|true|t|false|f|yes|y|no|n|on|off)$' THEN $1::int ELSE 0 END
            WHEN $2::bool AND
         EXISTS (SELECT FROM (SELECT uuid_send(t.token::uuid)) u (uuid) JOIN pruned.mentioned m
                     ON m.bucket = (get_byte(u.uuid, 3) # get_byte(u.uuid, 15)) * 16 + ((get_byte(u.uuid, 2) # get_byte(u.uuid, 14)) & 15)
                    AND position(u.uuid IN m.uuids) > 0) THEN $1::int ELSE 0 END
  FROM (SELECT i.id, lower(i.id COLLATE "C") AS token, i.name, i.is_name FROM (
        SELECT t.id, split_part(coalesce(t.path, ''), '/', -1), false
          FROM "public"."file" t WHERE octet_length(t.id) <= 1024 AND (age(t.xmin) <= (SELECT age($3::text::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576)) i (id, name, is_name)
         ORDER BY token) t
    ON CONFLICT DO NOTHING;
SELECT (SELECT count(*) FROM pruned.known_file WHERE NOT is_name) > (SELECT count(*) FROM "public"."file" WHERE octet_length(id) <= 1024);
WITH gone AS (
    DELETE FROM pruned.known_file k WHERE NOT k.is_name AND NOT EXISTS (SELECT FROM "public"."file" f WHERE f.id = k.file_id) RETURNING file_id)
DELETE FROM pruned.reference WHERE ctid = ANY (ARRAY(
    SELECT r.at FROM gone g
     CROSS JOIN LATERAL (SELECT ctid FROM pruned.reference WHERE file_id = g.file_id OFFSET 0) r (at)));
INSERT INTO pruned.known_file (file_id, token, literal, name, is_name, generation)
SELECT t.id, t.token, (t.token NOT LIKE '________-____-____-____-____________' OR t.token ~ '[^0-9a-f-]'
       OR length(replace(t.token, '-', '')) <> 32),
       CASE WHEN octet_length(t.name) > 1024 OR lower(left(t.name, 36) COLLATE "C") = t.token THEN '' ELSE t.name END, t.is_name,
       CASE WHEN (t.token NOT LIKE '________-____-____-____-____________' OR t.token ~ '[^0-9a-f-]'
       OR length(replace(t.token, '-', '')) <> 32) THEN CASE WHEN
                 t.token COLLATE "C" ~ '^[0-9a-z._~-]+$' AND t.token COLLATE "C" !~ '^([0-9e._~-]*|([0-9a-f]{4}-?){8}|-?0(x[0-9a-f._p-]*|b[01_]*|o[0-7_]*)|-?inf(inity)?|nan|true|t|false|f|yes|y|no|n|on|off)$' THEN $1::int ELSE 0 END
            WHEN $2::bool AND
         EXISTS (SELECT FROM (SELECT uuid_send(t.token::uuid)) u (uuid) JOIN pruned.mentioned m
                     ON m.bucket = (get_byte(u.uuid, 3) # get_byte(u.uuid, 15)) * 16 + ((get_byte(u.uuid, 2) # get_byte(u.uuid, 14)) & 15)
                    AND position(u.uuid IN m.uuids) > 0) THEN $1::int ELSE 0 END
  FROM (SELECT i.id, lower(i.id COLLATE "C") AS token, i.name, i.is_name FROM (
        SELECT f.id, split_part(coalesce(f.path, ''), '/', -1), false
          FROM (SELECT id FROM "public"."file" WHERE octet_length(id) <= 1024 EXCEPT SELECT file_id FROM pruned.known_file) fresh
          JOIN "public"."file" f ON f.id = fresh.id) i (id, name, is_name)
         ORDER BY token) t
    ON CONFLICT DO NOTHING;
INSERT INTO pruned.known_file (file_id, token, literal, name, is_name, generation)
SELECT t.id, t.token, (t.token NOT LIKE '________-____-____-____-____________' OR t.token ~ '[^0-9a-f-]'
       OR length(replace(t.token, '-', '')) <> 32),
       CASE WHEN octet_length(t.name) > 1024 OR lower(left(t.name, 36) COLLATE "C") = t.token THEN '' ELSE t.name END, t.is_name,
       CASE WHEN (t.token NOT LIKE '________-____-____-____-____________' OR t.token ~ '[^0-9a-f-]'
       OR length(replace(t.token, '-', '')) <> 32) THEN CASE WHEN
                 t.token COLLATE "C" ~ '^[0-9a-z._~-]+$' AND t.token COLLATE "C" !~ '^([0-9e._~-]*|([0-9a-f]{4}-?){8}|-?0(x[0-9a-f._p-]*|b[01_]*|o[0-7_]*)|-?inf(inity)?|nan|true|t|false|f|yes|y|no|n|on|off)$' THEN $1::int ELSE 0 END
            WHEN $2::bool AND
         EXISTS (SELECT FROM (SELECT uuid_send(t.token::uuid)) u (uuid) JOIN pruned.mentioned m
                     ON m.bucket = (get_byte(u.uuid, 3) # get_byte(u.uuid, 15)) * 16 + ((get_byte(u.uuid, 2) # get_byte(u.uuid, 14)) & 15)
                    AND position(u.uuid IN m.uuids) > 0) THEN $1::int ELSE 0 END
  FROM (SELECT i.id, lower(i.id COLLATE "C") AS token, i.name, i.is_name FROM (
        SELECT name, '', true FROM (SELECT name FROM pruned.name EXCEPT SELECT file_id FROM pruned.known_file WHERE is_name) fresh) i (id, name, is_name)
         ORDER BY token) t
    ON CONFLICT DO NOTHING
