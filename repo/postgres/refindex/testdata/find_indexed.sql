WITH quiet (yes) AS MATERIALIZED (
    SELECT ($6::boolean OR (
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
           SELECT FROM deleted JOIN pg_constraint k ON k.confrelid = deleted.oid AND k.contype = 'f' AND k.confdeltype IN ('n', 'd')))) AND coalesce((SELECT concat_ws('/', pg_postmaster_start_time(), timeline_id, checkpoint_lsn, current_user) FROM pg_control_checkpoint()) = $5::text AND b.until - b.since <= 10000 AND NOT EXISTS (
               SELECT FROM (SELECT pg_snapshot_xip(b.snapshot)
                      UNION ALL SELECT n::text::xid8 FROM generate_series(b.since, least(b.until - 1, b.since + 10000)) n) x (id)
                WHERE pg_visible_in_snapshot(x.id, pg_current_snapshot())
                  AND x.id IS DISTINCT FROM pg_current_xact_id_if_assigned()
                  AND x.id <> ALL ($4::text[]::xid8[])), false)
      FROM (SELECT s.snapshot, pg_snapshot_xmax(s.snapshot)::text::bigint AS since,
                   pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS until
              FROM (SELECT nullif($3::text, '')::pg_snapshot AS snapshot) s) b
)
SELECT 0, 0, NULL::text, 0, jsonb_build_object(
         'snapshot', pg_current_snapshot()::text,
         'same', s.identity = concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
             (SELECT oid FROM pg_database WHERE datname = current_database()), $2::text,
             'pruned.reference'::regclass::oid, 'reader 3'),
         'catalog', (NULL),
         'index', (SELECT coalesce(md5(string_agg(concat_ws(':', id, relid, signature, generation, captured IS NOT NULL), ',' ORDER BY id)), '')
            FROM pruned.relation),
         'server', (SELECT concat_ws('/', pg_postmaster_start_time(), timeline_id, checkpoint_lsn, current_user) FROM pg_control_checkpoint()),
         'own', pg_current_xact_id_if_assigned()::text,
         'generation', (SELECT min(generation) FROM pruned.relation),
         'deletes', (SELECT CASE WHEN $6::boolean AND (SELECT yes FROM quiet) AND current_setting('session_replication_role') <> 'replica' THEN NULL ELSE (
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
         'marks', (SELECT jsonb_object_agg(id, w::text) FROM pruned.relation),
         'quiet', (SELECT yes FROM quiet),
         'sound', (SELECT coalesce(bool_and(w <= pg_snapshot_xmax(pg_current_snapshot())
                 AND pg_snapshot_xmax(pg_current_snapshot())::text::numeric - w::text::numeric < 1000000000), true)
            FROM pruned.relation))::text
  FROM pruned.state s
UNION ALL
SELECT 3, 0, NULL, 0, id FROM unnest($1::text[]) id
 WHERE NOT EXISTS (SELECT FROM pruned.known_file k
                    WHERE k.file_id = id AND k.generation <= (SELECT min(generation) FROM pruned.relation))
UNION ALL
SELECT 6, 0, NULL, 0, file_id FROM pruned.keep WHERE file_id = ANY ($1::text[]) AND (lasts IS NULL OR made_at + make_interval(secs => lasts) > clock_timestamp())
UNION ALL
SELECT 1, r.source, r.row_id, 0, r.file_id
  FROM unnest($1::text[]) id CROSS JOIN LATERAL (
    SELECT r.file_id, r.source, r.row_id FROM pruned.reference r
     WHERE r.file_id = id AND CASE r.source
        WHEN 1 THEN EXISTS (SELECT FROM ONLY "public"."api_key" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 1))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 2 THEN EXISTS (SELECT FROM ONLY "public"."app" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 2))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 3 THEN EXISTS (SELECT FROM ONLY "public"."auth" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::character varying AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 3))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 4 THEN EXISTS (SELECT FROM ONLY "public"."automation" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 4))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 5 THEN EXISTS (SELECT FROM ONLY "public"."automation_run" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 5))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 6 THEN EXISTS (SELECT FROM ONLY "public"."calendar" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 6))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 7 THEN EXISTS (SELECT FROM ONLY "public"."calendar_event" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 7))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 8 THEN EXISTS (SELECT FROM ONLY "public"."calendar_event_attendee" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 8))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 9 THEN EXISTS (SELECT FROM ONLY "public"."channel" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 9))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 10 THEN EXISTS (SELECT FROM ONLY "public"."channel_file" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 10))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576) AND (t."channel_id" IS NULL OR EXISTS (SELECT FROM "public"."channel" p WHERE p.id OPERATOR(pg_catalog.=) t."channel_id") OR NOT EXISTS (SELECT FROM "public"."channel")) AND (t."message_id" IS NULL OR EXISTS (SELECT FROM "public"."message" p WHERE p.id OPERATOR(pg_catalog.=) t."message_id") OR NOT EXISTS (SELECT FROM "public"."message")))
        WHEN 11 THEN EXISTS (SELECT FROM ONLY "public"."channel_member" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 11))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 12 THEN EXISTS (SELECT FROM ONLY "public"."channel_webhook" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 12))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 13 THEN EXISTS (SELECT FROM ONLY "public"."chat" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::character varying AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 13))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 14 THEN EXISTS (SELECT FROM ONLY "public"."chat_file" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 14))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576) AND (t."chat_id" IS NULL OR EXISTS (SELECT FROM "public"."chat" p WHERE p.id OPERATOR(pg_catalog.=) t."chat_id") OR NOT EXISTS (SELECT FROM "public"."chat")))
        WHEN 15 THEN EXISTS (SELECT FROM ONLY "public"."chat_message" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 15))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576) AND (t."chat_id" IS NULL OR EXISTS (SELECT FROM "public"."chat" p WHERE p.id OPERATOR(pg_catalog.=) t."chat_id") OR NOT EXISTS (SELECT FROM "public"."chat")))
        WHEN 16 THEN EXISTS (SELECT FROM ONLY "public"."chatidtag" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::character varying AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 16))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 17 THEN EXISTS (SELECT FROM ONLY "public"."config" t WHERE t."key" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 17))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 18 THEN EXISTS (SELECT FROM ONLY "public"."document" t WHERE t."collection_name" OPERATOR(pg_catalog.=) r.row_id::character varying AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 18))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 19 THEN EXISTS (SELECT FROM ONLY "public"."feedback" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 19))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 20 THEN EXISTS (SELECT FROM ONLY "public"."folder" t WHERE t."id" OPERATOR(pg_catalog.=) (r.row_id::text[])[1]::text AND t."user_id" OPERATOR(pg_catalog.=) (r.row_id::text[])[2]::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 20))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 21 THEN EXISTS (SELECT FROM ONLY "public"."function" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::character varying AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 21))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 22 THEN EXISTS (SELECT FROM ONLY "public"."function_history" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 22))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 23 THEN EXISTS (SELECT FROM ONLY "public"."group" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 23))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 24 THEN EXISTS (SELECT FROM ONLY "public"."group_member" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 24))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 25 THEN EXISTS (SELECT FROM ONLY "public"."knowledge" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 25))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 26 THEN EXISTS (SELECT FROM ONLY "public"."knowledge_directory" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 26))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 27 THEN EXISTS (SELECT FROM ONLY "public"."knowledge_file" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 27))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576) AND (t."knowledge_id" IS NULL OR EXISTS (SELECT FROM "public"."knowledge" p WHERE p.id OPERATOR(pg_catalog.=) t."knowledge_id") OR NOT EXISTS (SELECT FROM "public"."knowledge")))
        WHEN 28 THEN EXISTS (SELECT FROM ONLY "public"."memory" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::character varying AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 28))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 29 THEN EXISTS (SELECT FROM ONLY "public"."message" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 29))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576) AND (t."channel_id" IS NULL OR EXISTS (SELECT FROM "public"."channel" p WHERE p.id OPERATOR(pg_catalog.=) t."channel_id")))
        WHEN 30 THEN EXISTS (SELECT FROM ONLY "public"."message_reaction" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 30))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 31 THEN EXISTS (SELECT FROM ONLY "public"."model" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 31))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 32 THEN EXISTS (SELECT FROM ONLY "public"."model_history" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 32))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 33 THEN EXISTS (SELECT FROM ONLY "public"."note" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 33))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 34 THEN EXISTS (SELECT FROM ONLY "public"."oauth_session" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 34))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 35 THEN EXISTS (SELECT FROM ONLY "public"."pinned_note" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 35))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 36 THEN EXISTS (SELECT FROM ONLY "public"."prompt" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 36))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 37 THEN EXISTS (SELECT FROM ONLY "public"."prompt_history" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 37))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 38 THEN EXISTS (SELECT FROM ONLY "public"."shared_chat" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 38))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 39 THEN EXISTS (SELECT FROM ONLY "public"."skill" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::character varying AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 39))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 40 THEN EXISTS (SELECT FROM ONLY "public"."skill_history" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 40))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 41 THEN EXISTS (SELECT FROM ONLY "public"."tag" t WHERE t."id" OPERATOR(pg_catalog.=) (r.row_id::text[])[1]::character varying AND t."user_id" OPERATOR(pg_catalog.=) (r.row_id::text[])[2]::character varying AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 41))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 42 THEN EXISTS (SELECT FROM ONLY "public"."tool" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::character varying AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 42))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 43 THEN EXISTS (SELECT FROM ONLY "public"."tool_history" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::text AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 43))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        WHEN 44 THEN EXISTS (SELECT FROM ONLY "public"."user" t WHERE t."id" OPERATOR(pg_catalog.=) r.row_id::character varying AND NOT (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 44))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576))
        ELSE false END
     LIMIT 1) r
UNION ALL SELECT 2, 9, t."id"::text, v.n, v.text FROM ONLY "public"."channel_file" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."channel_id"::text), (4, t."file_id"::text), (7, t."message_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 10))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576) AND (t."channel_id" IS NULL OR EXISTS (SELECT FROM "public"."channel" p WHERE p.id OPERATOR(pg_catalog.=) t."channel_id") OR NOT EXISTS (SELECT FROM "public"."channel")) AND (t."message_id" IS NULL OR EXISTS (SELECT FROM "public"."message" p WHERE p.id OPERATOR(pg_catalog.=) t."message_id") OR NOT EXISTS (SELECT FROM "public"."message"))
UNION ALL SELECT 2, 13, t."id"::text, v.n, v.text FROM ONLY "public"."chat_file" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."chat_id"::text), (4, t."file_id"::text), (5, t."message_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 14))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576) AND (t."chat_id" IS NULL OR EXISTS (SELECT FROM "public"."chat" p WHERE p.id OPERATOR(pg_catalog.=) t."chat_id") OR NOT EXISTS (SELECT FROM "public"."chat"))
UNION ALL SELECT 2, 26, t."id"::text, v.n, v.text FROM ONLY "public"."knowledge_file" t CROSS JOIN LATERAL (VALUES (1, t."id"::text), (2, t."user_id"::text), (3, t."knowledge_id"::text), (4, t."file_id"::text), (7, t."directory_id"::text)) v (n, text) WHERE v.text IS NOT NULL AND NOT (SELECT yes FROM quiet) AND (age(t.xmin) <= (SELECT age((SELECT w::xid FROM pruned.relation WHERE id = 27))) AND age(t.xmin) > (SELECT age(pg_snapshot_xmax(pg_current_snapshot())::xid)) - 1048576) AND (t."knowledge_id" IS NULL OR EXISTS (SELECT FROM "public"."knowledge" p WHERE p.id OPERATOR(pg_catalog.=) t."knowledge_id") OR NOT EXISTS (SELECT FROM "public"."knowledge"))
