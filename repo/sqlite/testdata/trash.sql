INSERT OR REPLACE INTO pruned_trash (file_id, identity, path, name, filename, owner, size, made_at, keep, content)
SELECT CAST(f.id AS TEXT), @identity, coalesce(CAST(f.path AS TEXT), ''), coalesce(CAST(substr(f.path, length(rtrim(f.path, replace(f.path, '/', ''))) + 1) AS TEXT), ''), coalesce(CAST(f.filename AS TEXT), ''),
       coalesce(CAST(f.user_id AS TEXT), ''), CASE WHEN json_valid(f.meta) AND json_type(f.meta) = 'object' AND json_type(f.meta, '$.size') = 'integer'
            THEN max(0, min(CAST(f.meta ->> '$.size' AS INTEGER), 1 << 50)) ELSE 0 END, @now, @keep, json_object('id', json_array(CASE WHEN typeof(f."id") = 'text' AND instr(CAST(f."id" AS BLOB), x'00') > 0 THEN 'nul' ELSE typeof(f."id") END,
       CASE WHEN typeof(f."id") = 'blob' OR typeof(f."id") = 'text' AND instr(CAST(f."id" AS BLOB), x'00') > 0 THEN hex(f."id")
            WHEN typeof(f."id") = 'real' THEN printf('%!.17g', f."id") ELSE f."id" END), 'user_id', json_array(CASE WHEN typeof(f."user_id") = 'text' AND instr(CAST(f."user_id" AS BLOB), x'00') > 0 THEN 'nul' ELSE typeof(f."user_id") END,
       CASE WHEN typeof(f."user_id") = 'blob' OR typeof(f."user_id") = 'text' AND instr(CAST(f."user_id" AS BLOB), x'00') > 0 THEN hex(f."user_id")
            WHEN typeof(f."user_id") = 'real' THEN printf('%!.17g', f."user_id") ELSE f."user_id" END), 'filename', json_array(CASE WHEN typeof(f."filename") = 'text' AND instr(CAST(f."filename" AS BLOB), x'00') > 0 THEN 'nul' ELSE typeof(f."filename") END,
       CASE WHEN typeof(f."filename") = 'blob' OR typeof(f."filename") = 'text' AND instr(CAST(f."filename" AS BLOB), x'00') > 0 THEN hex(f."filename")
            WHEN typeof(f."filename") = 'real' THEN printf('%!.17g', f."filename") ELSE f."filename" END), 'meta', json_array(CASE WHEN typeof(f."meta") = 'text' AND instr(CAST(f."meta" AS BLOB), x'00') > 0 THEN 'nul' ELSE typeof(f."meta") END,
       CASE WHEN typeof(f."meta") = 'blob' OR typeof(f."meta") = 'text' AND instr(CAST(f."meta" AS BLOB), x'00') > 0 THEN hex(f."meta")
            WHEN typeof(f."meta") = 'real' THEN printf('%!.17g', f."meta") ELSE f."meta" END), 'created_at', json_array(CASE WHEN typeof(f."created_at") = 'text' AND instr(CAST(f."created_at" AS BLOB), x'00') > 0 THEN 'nul' ELSE typeof(f."created_at") END,
       CASE WHEN typeof(f."created_at") = 'blob' OR typeof(f."created_at") = 'text' AND instr(CAST(f."created_at" AS BLOB), x'00') > 0 THEN hex(f."created_at")
            WHEN typeof(f."created_at") = 'real' THEN printf('%!.17g', f."created_at") ELSE f."created_at" END), 'hash', json_array(CASE WHEN typeof(f."hash") = 'text' AND instr(CAST(f."hash" AS BLOB), x'00') > 0 THEN 'nul' ELSE typeof(f."hash") END,
       CASE WHEN typeof(f."hash") = 'blob' OR typeof(f."hash") = 'text' AND instr(CAST(f."hash" AS BLOB), x'00') > 0 THEN hex(f."hash")
            WHEN typeof(f."hash") = 'real' THEN printf('%!.17g', f."hash") ELSE f."hash" END), 'data', json_array(CASE WHEN typeof(f."data") = 'text' AND instr(CAST(f."data" AS BLOB), x'00') > 0 THEN 'nul' ELSE typeof(f."data") END,
       CASE WHEN typeof(f."data") = 'blob' OR typeof(f."data") = 'text' AND instr(CAST(f."data" AS BLOB), x'00') > 0 THEN hex(f."data")
            WHEN typeof(f."data") = 'real' THEN printf('%!.17g', f."data") ELSE f."data" END), 'updated_at', json_array(CASE WHEN typeof(f."updated_at") = 'text' AND instr(CAST(f."updated_at" AS BLOB), x'00') > 0 THEN 'nul' ELSE typeof(f."updated_at") END,
       CASE WHEN typeof(f."updated_at") = 'blob' OR typeof(f."updated_at") = 'text' AND instr(CAST(f."updated_at" AS BLOB), x'00') > 0 THEN hex(f."updated_at")
            WHEN typeof(f."updated_at") = 'real' THEN printf('%!.17g', f."updated_at") ELSE f."updated_at" END), 'path', json_array(CASE WHEN typeof(f."path") = 'text' AND instr(CAST(f."path" AS BLOB), x'00') > 0 THEN 'nul' ELSE typeof(f."path") END,
       CASE WHEN typeof(f."path") = 'blob' OR typeof(f."path") = 'text' AND instr(CAST(f."path" AS BLOB), x'00') > 0 THEN hex(f."path")
            WHEN typeof(f."path") = 'real' THEN printf('%!.17g', f."path") ELSE f."path" END))
  FROM file f WHERE f.id IN (SELECT value FROM json_each(@ids))
