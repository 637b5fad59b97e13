SELECT count(*) FROM "channel_file" t WHERE NOT (1 AND (t."channel_id" IS NULL OR EXISTS (SELECT 1 FROM "channel" p WHERE p."id" = t."channel_id")) AND (t."message_id" IS NULL OR EXISTS (SELECT 1 FROM "message" p WHERE p."id" = t."message_id")));
SELECT count(*) FROM "chat_file" t WHERE NOT (1 AND (t."chat_id" IS NULL OR EXISTS (SELECT 1 FROM "chat" p WHERE p."id" = t."chat_id")));
SELECT count(*) FROM "knowledge_file" t WHERE NOT (1 AND (t."knowledge_id" IS NULL OR EXISTS (SELECT 1 FROM "knowledge" p WHERE p."id" = t."knowledge_id")));
SELECT count(*) FILTER (WHERE created < 1e9), count(*) FILTER (WHERE created >= 1e11 AND created < 1e14), count(*) FILTER (WHERE created >= 1e14 AND created < 1e17),
       count(*) FILTER (WHERE created >= 1e17), count(*) FILTER (WHERE (CASE WHEN created >= 1e17 THEN created / 1e9 WHEN created >= 1e14 THEN created / 1e6 WHEN created >= 1e11 THEN created / 1e3 WHEN created >= 1e9 THEN created END) > ?1 + 60), count(*),
       count(*) FILTER (WHERE updated < 1e9), count(*) FILTER (WHERE updated >= 1e11 AND updated < 1e14), count(*) FILTER (WHERE updated >= 1e14 AND updated < 1e17),
       count(*) FILTER (WHERE updated >= 1e17), count(*) FILTER (WHERE (CASE WHEN updated >= 1e17 THEN updated / 1e9 WHEN updated >= 1e14 THEN updated / 1e6 WHEN updated >= 1e11 THEN updated / 1e3 WHEN updated >= 1e9 THEN updated END) > ?1 + 60), count(*)
  FROM (SELECT CASE WHEN typeof(f.created_at) IN ('integer', 'real') OR f.created_at <> '' AND f.created_at NOT GLOB '*[^0-9.]*'
            THEN CAST(f.created_at AS REAL) END AS created,
               CASE WHEN typeof(f.updated_at) IN ('integer', 'real') OR f.updated_at <> '' AND f.updated_at NOT GLOB '*[^0-9.]*'
            THEN CAST(f.updated_at AS REAL) END AS updated FROM file f);
SELECT count(*), coalesce(min(typeof(f.created_at)), ''), (SELECT type FROM pragma_table_info('file') WHERE name = 'created_at')
  FROM file f WHERE f.created_at IS NOT NULL AND CASE WHEN typeof(f.created_at) IN ('integer', 'real') OR f.created_at <> '' AND f.created_at NOT GLOB '*[^0-9.]*'
            THEN CAST(f.created_at AS REAL) END IS NULL
