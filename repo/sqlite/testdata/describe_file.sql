SELECT coalesce(f.path, ''), CASE WHEN typeof(f.created_at) IN ('integer', 'real') OR f.created_at <> '' AND f.created_at NOT GLOB '*[^0-9.]*'
            THEN CAST(f.created_at AS REAL) END,
       coalesce(CASE WHEN json_valid(f.data) AND json_type(f.data) = 'object' THEN f.data ->> '$.status' END, '')
  FROM file f WHERE f.id = ?1;
SELECT CAST(t."id" AS TEXT), coalesce(c.title, ''), coalesce(c.user_id, '') FROM "automation_run" t
	JOIN chat c ON c.id = t.chat_id WHERE CAST(t."id" AS TEXT) IN (SELECT value FROM json_each(?1));
SELECT CAST(t."id" AS TEXT), coalesce(c.title, ''), coalesce(c.user_id, '') FROM "chat" t
	JOIN chat c ON c.id = t.id WHERE CAST(t."id" AS TEXT) IN (SELECT value FROM json_each(?1));
SELECT CAST(t."id" AS TEXT), coalesce(c.title, ''), coalesce(c.user_id, '') FROM "chat_file" t
	JOIN chat c ON c.id = t.chat_id WHERE CAST(t."id" AS TEXT) IN (SELECT value FROM json_each(?1));
SELECT CAST(t."id" AS TEXT), coalesce(c.title, ''), coalesce(c.user_id, '') FROM "chat_message" t
	JOIN chat c ON c.id = t.chat_id WHERE CAST(t."id" AS TEXT) IN (SELECT value FROM json_each(?1));
SELECT CAST(t."id" AS TEXT), coalesce(c.title, ''), coalesce(c.user_id, '') FROM "chatidtag" t
	JOIN chat c ON c.id = t.chat_id WHERE CAST(t."id" AS TEXT) IN (SELECT value FROM json_each(?1));
SELECT CAST(t."id" AS TEXT), coalesce(c.title, ''), coalesce(c.user_id, '') FROM "shared_chat" t
	JOIN chat c ON c.id = t.chat_id WHERE CAST(t."id" AS TEXT) IN (SELECT value FROM json_each(?1))
