DELETE FROM "channel_file" WHERE "file_id" IN (SELECT value FROM json_each(?1));
DELETE FROM "chat_file" WHERE "file_id" IN (SELECT value FROM json_each(?1));
DELETE FROM "knowledge_file" WHERE "file_id" IN (SELECT value FROM json_each(?1));
DELETE FROM file WHERE id IN (SELECT value FROM json_each(?1)) RETURNING id, coalesce(path, '')
