SELECT c.file_id, c.first_seen, c.confirmed, c.confirmed_by, c.claimed_at,
       CASE WHEN typeof(f.created_at) IN ('integer', 'real') OR f.created_at <> '' AND f.created_at NOT GLOB '*[^0-9.]*'
            THEN CAST(f.created_at AS REAL) END,
       CASE WHEN typeof(f.updated_at) IN ('integer', 'real') OR f.updated_at <> '' AND f.updated_at NOT GLOB '*[^0-9.]*'
            THEN CAST(f.updated_at AS REAL) END,
       CASE WHEN coalesce(max(coalesce(CASE WHEN typeof(f.created_at) IN ('integer', 'real') OR f.created_at <> '' AND f.created_at NOT GLOB '*[^0-9.]*'
            THEN CAST(f.created_at AS REAL) END, CASE WHEN typeof(f.updated_at) IN ('integer', 'real') OR f.updated_at <> '' AND f.updated_at NOT GLOB '*[^0-9.]*'
            THEN CAST(f.updated_at AS REAL) END), coalesce(CASE WHEN typeof(f.updated_at) IN ('integer', 'real') OR f.updated_at <> '' AND f.updated_at NOT GLOB '*[^0-9.]*'
            THEN CAST(f.updated_at AS REAL) END, CASE WHEN typeof(f.created_at) IN ('integer', 'real') OR f.created_at <> '' AND f.created_at NOT GLOB '*[^0-9.]*'
            THEN CAST(f.created_at AS REAL) END)) > @pending_since, 1) AND json_valid(f.data)
            THEN coalesce(CASE json_type(f.data) WHEN 'object' THEN f.data ->> '$.status' END IN ('pending', 'processing'), 0) ELSE 0 END,
       CASE WHEN json_valid(f.meta) AND json_type(f.meta) = 'object' AND json_type(f.meta, '$.size') = 'integer'
            THEN max(0, min(CAST(f.meta ->> '$.size' AS INTEGER), 1 << 50)) ELSE 0 END, c.chunks, NOT c.confirmed AND EXISTS (SELECT 1 FROM pruned_hold WHERE direction = 'row')
  FROM pruned_candidate c JOIN file f ON f.id = c.file_id
 WHERE c.direction = 'row' AND c.file_id > @after
 ORDER BY c.file_id LIMIT @limit
