SELECT id, coalesce(path, '') FROM "public"."file" WHERE id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]);
DELETE FROM "public"."file" WHERE id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]);
DELETE FROM "public"."chat_file" t WHERE t.file_id OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
   AND NOT (true AND (t."chat_id" IS NULL OR EXISTS (SELECT FROM "public"."chat" p WHERE p.id OPERATOR(pg_catalog.=) t."chat_id") OR NOT EXISTS (SELECT FROM "public"."chat")))
