SELECT f.id, coalesce(f.path, ''),
       CASE WHEN typeof(f.created_at) IN ('integer', 'real') OR f.created_at <> '' AND f.created_at NOT GLOB '*[^0-9.]*'
            THEN CAST(f.created_at AS REAL) END,
       CASE WHEN typeof(f.updated_at) IN ('integer', 'real') OR f.updated_at <> '' AND f.updated_at NOT GLOB '*[^0-9.]*'
            THEN CAST(f.updated_at AS REAL) END,
       CASE WHEN coalesce(max(coalesce(CASE WHEN typeof(f.created_at) IN ('integer', 'real') OR f.created_at <> '' AND f.created_at NOT GLOB '*[^0-9.]*'
            THEN CAST(f.created_at AS REAL) END, CASE WHEN typeof(f.updated_at) IN ('integer', 'real') OR f.updated_at <> '' AND f.updated_at NOT GLOB '*[^0-9.]*'
            THEN CAST(f.updated_at AS REAL) END), coalesce(CASE WHEN typeof(f.updated_at) IN ('integer', 'real') OR f.updated_at <> '' AND f.updated_at NOT GLOB '*[^0-9.]*'
            THEN CAST(f.updated_at AS REAL) END, CASE WHEN typeof(f.created_at) IN ('integer', 'real') OR f.created_at <> '' AND f.created_at NOT GLOB '*[^0-9.]*'
            THEN CAST(f.created_at AS REAL) END)) > @pending_since, 1) AND json_valid(f.data)
            THEN coalesce(CASE json_type(f.data) WHEN 'object' THEN f.data ->> '$.status' END IN ('pending', 'processing'), 0) ELSE 0 END, c.first_seen
  FROM file f LEFT JOIN pruned_candidate c ON c.file_id = f.id AND c.direction = 'row'
 WHERE f.id IN (SELECT value FROM json_each(@ids))
 ORDER BY f.id
