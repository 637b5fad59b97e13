WITH quiet (yes) AS MATERIALIZED (
    SELECT (true) AND coalesce((SELECT concat_ws('/', pg_postmaster_start_time(), timeline_id, checkpoint_lsn, current_user) FROM pg_control_checkpoint()) = $6::text AND b.until - b.since <= 10000 AND NOT EXISTS (
               SELECT FROM (SELECT pg_snapshot_xip(b.snapshot)
                      UNION ALL SELECT n::text::xid8 FROM generate_series(b.since, least(b.until - 1, b.since + 10000)) n) x (id)
                WHERE pg_visible_in_snapshot(x.id, pg_current_snapshot())
                  AND x.id IS DISTINCT FROM pg_current_xact_id_if_assigned()
                  AND x.id <> ALL ($5::text[]::xid8[])), false)
      FROM (SELECT s.snapshot, pg_snapshot_xmax(s.snapshot)::text::bigint AS since,
                   pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS until
              FROM (SELECT nullif($4::text, '')::pg_snapshot AS snapshot) s) b
)
SELECT 0, 0, NULL::text, 0, jsonb_build_object(
         'snapshot', pg_current_snapshot()::text,
         'same', s.identity = concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
             (SELECT oid FROM pg_database WHERE datname = current_database()), $2::text,
             'pruned.reference'::regclass::oid, 'reader 3'),
         'catalog', (SELECT CASE WHEN $8::boolean AND (SELECT yes FROM quiet) AND current_setting('session_replication_role') <> 'replica' THEN NULL ELSE (
WITH RECURSIVE excluded (oid, attname, path) AS (
    SELECT c.oid, coalesce(e.name[3], ''), coalesce(array_to_string(e.name[4:], '.'), '')
      FROM (SELECT string_to_array(e, '.') FROM unnest($3::text[]) e) e (name)
      JOIN pg_namespace n ON n.nspname = coalesce(nullif(e.name[1], ''), $2::text)
      JOIN pg_class c ON c.relnamespace = n.oid AND e.name[2] IN (c.relname, '*') AND c.relkind IN ('r', 'p', 'f')
    UNION
    SELECT c.oid, '', '' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
       AND (c.relname = 'document_chunk' AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
                                                    AND a.attname IN ('collection_name', 'vmetadata')) = 2
            OR c.relname = ANY ('{document_chunk,file,alembic_version,config_old,access_grant}')
               AND (SELECT count(*) FROM pg_class b WHERE b.relnamespace = n.oid AND b.relname IN ('alembic_version', 'auth', 'chat', 'file', 'user')) = 5)
    UNION
    SELECT i.inhrelid, e.attname, e.path FROM excluded e JOIN pg_inherits i ON i.inhparent = e.oid
), reached (oid, required) AS (
    SELECT c.oid, q.required FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL (
               SELECT n.nspname = $2::text OR EXISTS (
                   SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'
                      AND k.confrelid = to_regclass(format('%I.file', $2::text)))) q (required)
     WHERE c.relkind IN ('r', 'p', 'f') AND (q.required OR n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%' AND c.relkind <> 'f' AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))
       AND c.oid NOT IN (SELECT e.oid FROM excluded e WHERE e.attname = '')
    UNION
    SELECT c.oid, r.required FROM reached r JOIN pg_inherits i ON i.inhparent = r.oid
      JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE (r.required OR c.relkind <> 'f' AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))
       AND c.oid NOT IN (SELECT e.oid FROM excluded e WHERE e.attname = '')
), relations (oid) AS (SELECT DISTINCT oid FROM reached), 
declared (root, attname, parent) AS (
    SELECT k.oid, l.attname, l.parent
      FROM (VALUES ('chat_file', 'chat_id', 'chat'), ('channel_file', 'channel_id', 'channel'), ('channel_file', 'message_id', 'message'), ('knowledge_file', 'knowledge_id', 'knowledge'), ('chat_message', 'chat_id', 'chat'), ('chat_file', 'file_id', 'file'), ('channel_file', 'file_id', 'file'), ('knowledge_file', 'file_id', 'file')) l (child, attname, parent) JOIN pg_constraint k ON k.conrelid = to_regclass(format('%I.%I', $2::text, l.child))
       AND k.confrelid = to_regclass(format('%I.%I', $2::text, l.parent))
       AND k.contype = 'f' AND k.confdeltype = 'c' AND k.conparentid = 0 AND cardinality(k.conkey) = 1
      JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = k.conkey[1] AND c.attname = l.attname
      JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = k.confkey[1] AND p.attname = 'id'
), family (oid, root) AS (
    SELECT root, root FROM declared
    UNION
    SELECT k.oid, family.root FROM family JOIN pg_constraint k ON k.conparentid = family.oid AND k.contype = 'f'
), enforced (root) AS (
    SELECT f.root FROM family f JOIN pg_constraint k USING (oid)
     WHERE current_setting('session_replication_role') <> 'replica'
       AND NOT EXISTS (SELECT FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) c
                        WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
                          AND c ~* '^session_replication_role=.*replica')
     GROUP BY f.root
    HAVING bool_and(k.convalidated AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
               AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgenabled NOT IN ('O', 'A'))
               AND NOT EXISTS (SELECT FROM pg_subscription_rel s WHERE s.srrelid IN (k.conrelid, k.confrelid)))
), linked (relation, attname, parent) AS (
    SELECT DISTINCT k.conrelid, d.attname, d.parent
      FROM enforced e JOIN declared d USING (root) JOIN family f USING (root) JOIN pg_constraint k ON k.oid = f.oid
), 
used (oid) AS MATERIALIZED (
    SELECT DISTINCT unnest(i.indcollation::oid[]) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
), unfit (what) AS (
    SELECT format('%s is a %s and no table: nothing tells which of the rows that it shows changed. Make it a table of schema %I again', c.oid::regclass,
                  CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END, $2::text)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $2::text AND c.relkind IN ('v', 'm', 'f') AND c.relname = ANY ('{access_grant,alembic_version,api_key,app,auth,automation,automation_run,calendar,calendar_event,calendar_event_attendee,channel,channel_file,channel_member,channel_webhook,chat,chat_file,chat_message,chatidtag,config,config_old,document,feedback,file,folder,function,function_history,group,group_member,knowledge,knowledge_directory,knowledge_file,memory,message,message_reaction,model,model_history,note,oauth_session,pinned_note,prompt,prompt_history,shared_chat,skill,skill_history,tag,tool,tool_history,user}')
    UNION ALL
    SELECT format('the indexes of database %I were built with version %s of its collation, and this server has version %s: they may not find rows that are there. REINDEX DATABASE %1$I; ALTER DATABASE %1$I REFRESH COLLATION VERSION;',
                  d.datname, to_jsonb(d) ->> 'datcollversion', v.actual)
      FROM pg_database d CROSS JOIN (SELECT coalesce(pg_collation_actual_version('pg_catalog."default"'::regcollation), 'none')) v (actual)
     WHERE d.datname = current_database() AND to_jsonb(d) ->> 'datcollversion' <> v.actual
    UNION ALL
    SELECT format('indexes were built with version %s of collation %s, and this server has version %s: they may not find rows that are there. REINDEX DATABASE %I; ALTER COLLATION %2$s REFRESH VERSION;',
                  c.collversion, c.oid::regcollation, v.actual, current_database())
      FROM used JOIN pg_collation c USING (oid) CROSS JOIN LATERAL (SELECT coalesce(pg_collation_actual_version(c.oid), 'none')) v (actual)
     WHERE c.collversion <> v.actual
)
         SELECT md5(concat_ws(' ',
                  (SELECT string_agg(md5(
       concat_ws(' ', c.oid, (SELECT nspname FROM pg_namespace WHERE oid = c.relnamespace), c.relname, c.relkind, c.relam,
           (SELECT string_agg(concat_ws(':', a.attnum, a.attname, a.atttypid, a.attmissingval,
                        CASE WHEN a.atttypid >= 16384 THEN (
WITH RECURSIVE part (type) AS (
    SELECT a.atttypid
    UNION
    SELECT p.type FROM part JOIN pg_type t ON t.oid = part.type CROSS JOIN LATERAL (
               SELECT unnest(ARRAY[t.typelem, t.typbasetype])
         UNION SELECT r.rngsubtype FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
         UNION SELECT b.atttypid FROM pg_attribute b WHERE b.attrelid = t.typrelid AND b.attnum > 0 AND NOT b.attisdropped) p (type)
     WHERE p.type >= 16384
)
SELECT string_agg(concat_ws('=', e.oid, e.enumlabel), ' ' ORDER BY e.oid) FROM part JOIN pg_enum e ON e.enumtypid = part.type) END,
                        CASE WHEN a.attgenerated = 'v' THEN (SELECT adbin::text FROM pg_attrdef WHERE adrelid = a.attrelid AND adnum = a.attnum) END),
                    ',' ORDER BY a.attnum)
              FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
           (SELECT string_agg(concat_ws(':', k.oid, k.conkey), ',' ORDER BY k.oid)
              FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'f')),
           (SELECT string_agg(concat_ws('.', e.attname, e.path), ',' ORDER BY e.attname, e.path) FROM excluded e WHERE e.oid = c.oid),
           CASE WHEN NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
                THEN (SELECT concat_ws(':', i.indexrelid, i.indkey) FROM (
SELECT i.* FROM pg_index i CROSS JOIN LATERAL (SELECT (i.indkey::int2[])[:i.indnkeyatts - 1]) k (attnums)
 WHERE i.indrelid = c.oid AND (i.indisprimary OR i.indisunique AND i.indisvalid AND i.indimmediate
       AND i.indpred IS NULL AND i.indexprs IS NULL
       AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (k.attnums) AND NOT a.attnotnull)
       AND NOT EXISTS (SELECT FROM pg_constraint n WHERE n.conrelid = i.indrelid AND n.contype = 'n' AND NOT n.convalidated AND n.conkey && k.attnums))
 ORDER BY NOT i.indisprimary, i.indnkeyatts, i.indexrelid LIMIT 1) i) END)), '' ORDER BY c.oid) FROM relations JOIN pg_class c USING (oid)
                    WHERE c.relkind IN ('r', 'f') AND c.relpersistence <> 't'),
                  (SELECT string_agg(concat_ws(':', relation, attname, parent), ',' ORDER BY relation, attname) FROM linked),
                  (SELECT string_agg(what, ',' ORDER BY what) FROM unfit)))) END),
         'index', (SELECT coalesce(md5(string_agg(concat_ws(':', id, relid, signature, generation, captured IS NOT NULL), ',' ORDER BY id)), '')
            FROM pruned.relation),
         'server', (SELECT concat_ws('/', pg_postmaster_start_time(), timeline_id, checkpoint_lsn, current_user) FROM pg_control_checkpoint()),
         'own', pg_current_xact_id_if_assigned()::text,
         'generation', (SELECT min(generation) FROM pruned.relation),
         'deletes', (SELECT CASE WHEN $8::boolean AND (SELECT yes FROM quiet) AND current_setting('session_replication_role') <> 'replica' THEN NULL ELSE (
WITH RECURSIVE 
deleted (oid) AS (
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND (c.relname = 'document_chunk' OR n.nspname = $2::text AND c.relname = ANY ('{file,chat_file,channel_file,knowledge_file}'))
    UNION
    SELECT next.oid FROM deleted CROSS JOIN LATERAL (
        SELECT k.conrelid FROM pg_constraint k WHERE k.confrelid = deleted.oid AND k.contype = 'f'
        UNION ALL
        SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = deleted.oid) next (oid)
)
SELECT concat_ws(' ', (
SELECT NOT EXISTS (SELECT FROM pg_trigger WHERE NOT tgisinternal AND tgfoid <> ALL (ARRAY(SELECT oid FROM pg_proc WHERE pronamespace = to_regnamespace('pruned') AND proname IN ('capture', 'capture_row'))))
   AND NOT EXISTS (SELECT FROM pg_rewrite WHERE rulename <> '_RETURN' AND oid >= 16384)
   AND NOT EXISTS (WITH RECURSIVE 
deleted (oid) AS (
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND (c.relname = 'document_chunk' OR n.nspname = $2::text AND c.relname = ANY ('{file,chat_file,channel_file,knowledge_file}'))
    UNION
    SELECT next.oid FROM deleted CROSS JOIN LATERAL (
        SELECT k.conrelid FROM pg_constraint k WHERE k.confrelid = deleted.oid AND k.contype = 'f'
        UNION ALL
        SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = deleted.oid) next (oid)
)
           SELECT FROM deleted JOIN pg_constraint k ON k.confrelid = deleted.oid AND k.contype = 'f' AND k.confdeltype IN ('n', 'd')))::text, string_agg(oid::text, ' ' ORDER BY oid)) FROM deleted) END),
         'marks', (NULL),
         'quiet', (SELECT yes FROM quiet),
         'sound', (SELECT coalesce(bool_and(w <= pg_snapshot_xmax(pg_current_snapshot())
                 AND pg_snapshot_xmax(pg_current_snapshot())::text::numeric - w::text::numeric < 1000000000), true)
            FROM pruned.relation))::text
  FROM pruned.state s
UNION ALL SELECT 4, 0, NULL, 0, id FROM "public"."file" WHERE id = ANY ($1::text[])
UNION ALL SELECT 2, 0, t."id"::text, v.n, v.text FROM ONLY "public"."api_key" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."key"::text), (4, t."data"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[1]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 1, t."id"::text, v.n, v.text FROM ONLY "public"."app" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."slug"::text), (3, t."name"::text), (4, t."user_id"::text), (6, t."data"::text), (7, t."api_key"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[2]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 2, t."id"::text, v.n, v.text FROM ONLY "public"."auth" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."email"::text), (3, t."password"::text), (5, t."mfa"::text), (6, t."session_stamp"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[3]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 3, t."id"::text, v.n, v.text FROM ONLY "public"."automation" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."name"::text), (4, t."data"::text), (5, t."meta"::text), (11, t."folder_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[4]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 4, t."id"::text, v.n, v.text FROM ONLY "public"."automation_run" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."automation_id"::text), (3, t."chat_id"::text), (4, t."status"::text), (5, t."error"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[5]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 5, t."id"::text, v.n, v.text FROM ONLY "public"."calendar" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."name"::text), (4, t."color"::text), (6, t."data"::text), (7, t."meta"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[6]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 6, t."id"::text, v.n, v.text FROM ONLY "public"."calendar_event" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."calendar_id"::text), (3, t."user_id"::text), (4, t."title"::text), (5, t."description"::text), (9, t."rrule"::text), (10, t."color"::text), (11, t."location"::text), (12, t."data"::text), (13, t."meta"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[7]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 7, t."id"::text, v.n, v.text FROM ONLY "public"."calendar_event_attendee" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."event_id"::text), (3, t."user_id"::text), (4, t."status"::text), (5, t."meta"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[8]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 8, t."id"::text, v.n, v.text FROM ONLY "public"."channel" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."name"::text), (4, t."description"::text), (5, t."data"::text), (6, t."meta"::text), (10, t."type"::text), (13, t."archived_by"::text), (15, t."deleted_by"::text), (16, t."updated_by"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[9]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 9, t."id"::text, v.n, v.text FROM ONLY "public"."channel_file" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."channel_id"::text), (4, t."file_id"::text), (7, t."message_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[10]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END AND (t."channel_id" IS NULL OR EXISTS (SELECT FROM "public"."channel" p WHERE p.id OPERATOR(pg_catalog.=) t."channel_id") OR NOT EXISTS (SELECT FROM "public"."channel")) AND (t."message_id" IS NULL OR EXISTS (SELECT FROM "public"."message" p WHERE p.id OPERATOR(pg_catalog.=) t."message_id") OR NOT EXISTS (SELECT FROM "public"."message"))
UNION ALL SELECT 2, 10, t."id"::text, v.n, v.text FROM ONLY "public"."channel_member" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."channel_id"::text), (3, t."user_id"::text), (5, t."status"::text), (9, t."data"::text), (10, t."meta"::text), (15, t."role"::text), (16, t."invited_by"::text), (18, t."app_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[11]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 11, t."id"::text, v.n, v.text FROM ONLY "public"."channel_webhook" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."channel_id"::text), (4, t."name"::text), (5, t."profile_image_url"::text), (6, t."token"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[12]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 12, t."id"::text, v.n, v.text FROM ONLY "public"."chat" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."title"::text), (7, t."share_id"::text), (9, t."chat"::text), (11, t."meta"::text), (12, t."folder_id"::text), (13, t."tasks"::text), (14, t."summary"::text), (16, t."current_message_id"::text), (17, t."variables"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[13]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 13, t."id"::text, v.n, v.text FROM ONLY "public"."chat_file" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."chat_id"::text), (4, t."file_id"::text), (5, t."message_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[14]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END AND (t."chat_id" IS NULL OR EXISTS (SELECT FROM "public"."chat" p WHERE p.id OPERATOR(pg_catalog.=) t."chat_id") OR NOT EXISTS (SELECT FROM "public"."chat"))
UNION ALL SELECT CASE WHEN true AND (t."chat_id" IS NULL OR EXISTS (SELECT FROM "public"."chat" p WHERE p.id OPERATOR(pg_catalog.=) t."chat_id") OR NOT EXISTS (SELECT FROM "public"."chat")) THEN 2 ELSE 7 END, 14, t."id"::text, v.n, v.text FROM ONLY "public"."chat_message" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."chat_id"::text), (3, t."user_id"::text), (4, t."role"::text), (5, t."parent_id"::text), (6, t."content"::text), (7, t."output"::text), (8, t."model_id"::text), (9, t."files"::text), (10, t."sources"::text), (11, t."embeds"::text), (13, t."status_history"::text), (14, t."error"::text), (15, t."usage"::text), (18, t."context_summary"::text), (19, t."meta"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[15]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 15, t."id"::text, v.n, v.text FROM ONLY "public"."chatidtag" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."tag_name"::text), (3, t."chat_id"::text), (4, t."user_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[16]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 16, t."key"::text, v.n, v.text FROM ONLY "public"."config" t CROSS JOIN LATERAL (VALUES (1, t."key"::text), (2, t."value"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[17]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 17, t."collection_name"::text, v.n, v.text FROM ONLY "public"."document" t CROSS JOIN LATERAL (VALUES (1, t."collection_name"::text), (2, t."name"::text), (3, t."title"::text), (4, t."filename"::text), (5, t."content"::text), (6, t."user_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[18]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 18, t."id"::text, v.n, v.text FROM ONLY "public"."feedback" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (4, t."type"::text), (5, t."data"::text), (6, t."meta"::text), (7, t."snapshot"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[19]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 19, ARRAY[t."id"::text, t."user_id"::text]::text, v.n, v.text FROM ONLY "public"."folder" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."parent_id"::text), (3, t."user_id"::text), (4, t."name"::text), (5, t."items"::text), (6, t."meta"::text), (10, t."data"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[20]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 20, t."id"::text, v.n, v.text FROM ONLY "public"."function" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."name"::text), (4, t."type"::text), (5, t."content"::text), (6, t."meta"::text), (7, t."valves"::text), (12, t."version_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[21]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 21, t."id"::text, v.n, v.text FROM ONLY "public"."function_history" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."function_id"::text), (3, t."parent_id"::text), (4, t."snapshot"::text), (5, t."user_id"::text), (6, t."commit_message"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[22]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 22, t."id"::text, v.n, v.text FROM ONLY "public"."group" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."name"::text), (4, t."description"::text), (5, t."data"::text), (6, t."meta"::text), (7, t."permissions"::text), (11, t."parent_group_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[23]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 23, t."id"::text, v.n, v.text FROM ONLY "public"."group_member" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."group_id"::text), (3, t."user_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[24]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 24, t."id"::text, v.n, v.text FROM ONLY "public"."knowledge" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."name"::text), (4, t."description"::text), (6, t."meta"::text), (10, t."data"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[25]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 25, t."id"::text, v.n, v.text FROM ONLY "public"."knowledge_directory" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."knowledge_id"::text), (3, t."parent_id"::text), (4, t."name"::text), (5, t."user_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[26]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 26, t."id"::text, v.n, v.text FROM ONLY "public"."knowledge_file" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."knowledge_id"::text), (4, t."file_id"::text), (7, t."directory_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[27]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END AND (t."knowledge_id" IS NULL OR EXISTS (SELECT FROM "public"."knowledge" p WHERE p.id OPERATOR(pg_catalog.=) t."knowledge_id") OR NOT EXISTS (SELECT FROM "public"."knowledge"))
UNION ALL SELECT 2, 27, t."id"::text, v.n, v.text FROM ONLY "public"."memory" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."content"::text), (6, t."type"::text), (7, t."path"::text), (8, t."meta"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[28]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT CASE WHEN true AND (t."channel_id" IS NULL OR EXISTS (SELECT FROM "public"."channel" p WHERE p.id OPERATOR(pg_catalog.=) t."channel_id")) THEN 2 ELSE 7 END, 28, t."id"::text, v.n, v.text FROM ONLY "public"."message" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."channel_id"::text), (4, t."content"::text), (5, t."data"::text), (6, t."meta"::text), (9, t."parent_id"::text), (10, t."reply_to_id"::text), (13, t."pinned_by"::text), (14, t."app_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[29]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 29, t."id"::text, v.n, v.text FROM ONLY "public"."message_reaction" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."message_id"::text), (4, t."name"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[30]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 30, t."id"::text, v.n, v.text FROM ONLY "public"."model" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."base_model_id"::text), (4, t."name"::text), (5, t."params"::text), (6, t."meta"::text), (11, t."version_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[31]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 31, t."id"::text, v.n, v.text FROM ONLY "public"."model_history" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."model_id"::text), (3, t."parent_id"::text), (4, t."snapshot"::text), (5, t."user_id"::text), (6, t."commit_message"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[32]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 32, t."id"::text, v.n, v.text FROM ONLY "public"."note" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."title"::text), (4, t."data"::text), (5, t."meta"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[33]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 33, t."id"::text, v.n, v.text FROM ONLY "public"."oauth_session" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."provider"::text), (4, t."token"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[34]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 34, t."id"::text, v.n, v.text FROM ONLY "public"."pinned_note" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."note_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[35]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 35, t."id"::text, v.n, v.text FROM ONLY "public"."prompt" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."command"::text), (3, t."user_id"::text), (4, t."name"::text), (5, t."content"::text), (6, t."data"::text), (7, t."meta"::text), (10, t."version_id"::text), (11, t."tags"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[36]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 36, t."id"::text, v.n, v.text FROM ONLY "public"."prompt_history" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."prompt_id"::text), (3, t."parent_id"::text), (4, t."snapshot"::text), (5, t."user_id"::text), (6, t."commit_message"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[37]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 37, t."id"::text, v.n, v.text FROM ONLY "public"."shared_chat" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."chat_id"::text), (3, t."user_id"::text), (4, t."title"::text), (5, t."chat"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[38]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 38, t."id"::text, v.n, v.text FROM ONLY "public"."skill" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."name"::text), (4, t."description"::text), (5, t."content"::text), (6, t."meta"::text), (10, t."version_id"::text), (11, t."data"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[39]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 39, t."id"::text, v.n, v.text FROM ONLY "public"."skill_history" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."skill_id"::text), (3, t."parent_id"::text), (4, t."snapshot"::text), (5, t."user_id"::text), (6, t."commit_message"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[40]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 40, ARRAY[t."id"::text, t."user_id"::text]::text, v.n, v.text FROM ONLY "public"."tag" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."name"::text), (3, t."user_id"::text), (5, t."meta"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[41]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 41, t."id"::text, v.n, v.text FROM ONLY "public"."tool" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."name"::text), (4, t."content"::text), (5, t."specs"::text), (6, t."meta"::text), (7, t."valves"::text), (11, t."version_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[42]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 42, t."id"::text, v.n, v.text FROM ONLY "public"."tool_history" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."tool_id"::text), (3, t."parent_id"::text), (4, t."snapshot"::text), (5, t."user_id"::text), (6, t."commit_message"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[43]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
UNION ALL SELECT 2, 43, t."id"::text, v.n, v.text FROM ONLY "public"."user" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."name"::text), (3, t."email"::text), (4, t."role"::text), (5, t."profile_image_url"::text), (10, t."settings"::text), (11, t."info"::text), (13, t."username"::text), (14, t."bio"::text), (15, t."gender"::text), (17, t."profile_banner_image_url"::text), (18, t."timezone"::text), (19, t."presence_state"::text), (20, t."status_emoji"::text), (21, t."status_message"::text), (23, t."oauth"::text), (24, t."scim"::text), (25, t."variables"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND CASE WHEN age(t.xmin) <= (SELECT age(($7::text[])[44]::xid8::xid)) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid))
             THEN pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                                 - (age(t.xmin) - age(pg_snapshot_xmax(pg_current_snapshot())::xid)))::text::xid8)
                  IS DISTINCT FROM 'in progress'
             ELSE false END
