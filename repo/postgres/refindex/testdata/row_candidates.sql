WITH unmentioned AS MATERIALIZED (
    SELECT k.file_id FROM pruned.known_file k
     WHERE NOT k.is_name AND k.generation <= (SELECT min(generation) FROM pruned.relation)
       AND (NOT k.literal OR (SELECT
                 t.token COLLATE "C" ~ '^[0-9a-z._~-]+$' AND t.token COLLATE "C" !~ '^([0-9e._~-]*|([0-9a-f]{4}-?){8}|-?0(x[0-9a-f._p-]*|b[01_]*|o[0-7_]*)|-?inf(inity)?|nan|true|t|false|f|yes|y|no|n|on|off)$' FROM (SELECT k.token) t))
    EXCEPT (
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."api_key" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 1
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."app" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 2
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."auth" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::character varying WHERE r.source = 3
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."automation" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 4
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."automation_run" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 5
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."calendar" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 6
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."calendar_event" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 7
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."calendar_event_attendee" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 8
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."channel" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 9
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."channel_file" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text LEFT JOIN "public"."channel" p0 ON p0.id OPERATOR(pg_catalog.=) t."channel_id" LEFT JOIN "public"."message" p1 ON p1.id OPERATOR(pg_catalog.=) t."message_id" WHERE r.source = 10 AND (t."channel_id" IS NULL OR p0.id IS NOT NULL OR NOT EXISTS (SELECT FROM "public"."channel")) AND (t."message_id" IS NULL OR p1.id IS NOT NULL OR NOT EXISTS (SELECT FROM "public"."message"))
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."channel_member" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 11
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."channel_webhook" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 12
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."chat" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::character varying WHERE r.source = 13
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."chat_file" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text LEFT JOIN "public"."chat" p0 ON p0.id OPERATOR(pg_catalog.=) t."chat_id" WHERE r.source = 14 AND (t."chat_id" IS NULL OR p0.id IS NOT NULL OR NOT EXISTS (SELECT FROM "public"."chat"))
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."chatidtag" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::character varying WHERE r.source = 16
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."config" t ON t."key" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 17
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."document" t ON t."collection_name" OPERATOR(pg_catalog.=) r.row_id::character varying WHERE r.source = 18
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."feedback" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 19
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."folder" t ON t."id" OPERATOR(pg_catalog.=) (r.row_id::text[])[1]::text AND t."user_id" OPERATOR(pg_catalog.=) (r.row_id::text[])[2]::text WHERE r.source = 20
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."function" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::character varying WHERE r.source = 21
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."function_history" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 22
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."group" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 23
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."group_member" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 24
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."knowledge" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 25
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."knowledge_directory" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 26
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."knowledge_file" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text LEFT JOIN "public"."knowledge" p0 ON p0.id OPERATOR(pg_catalog.=) t."knowledge_id" WHERE r.source = 27 AND (t."knowledge_id" IS NULL OR p0.id IS NOT NULL OR NOT EXISTS (SELECT FROM "public"."knowledge"))
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."memory" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::character varying WHERE r.source = 28
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."message_reaction" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 30
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."model" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 31
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."model_history" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 32
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."note" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 33
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."oauth_session" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 34
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."pinned_note" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 35
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."prompt" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 36
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."prompt_history" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 37
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."shared_chat" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 38
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."skill" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::character varying WHERE r.source = 39
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."skill_history" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 40
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."tag" t ON t."id" OPERATOR(pg_catalog.=) (r.row_id::text[])[1]::character varying AND t."user_id" OPERATOR(pg_catalog.=) (r.row_id::text[])[2]::character varying WHERE r.source = 41
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."tool" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::character varying WHERE r.source = 42
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."tool_history" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 43
     UNION ALL
    SELECT r.file_id FROM pruned.reference r JOIN ONLY "public"."user" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::character varying WHERE r.source = 44)
), free AS MATERIALIZED (
    SELECT file_id FROM unmentioned
    EXCEPT (
    SELECT r.file_id FROM unmentioned u JOIN pruned.reference r ON r.file_id = u.file_id JOIN ONLY "public"."chat_message" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 15 AND (t."chat_id" IS NULL OR EXISTS (SELECT FROM "public"."chat" p WHERE p.id OPERATOR(pg_catalog.=) t."chat_id") OR NOT EXISTS (SELECT FROM "public"."chat"))
     UNION ALL
    SELECT r.file_id FROM unmentioned u JOIN pruned.reference r ON r.file_id = u.file_id JOIN ONLY "public"."message" t ON t."id" OPERATOR(pg_catalog.=) r.row_id::text WHERE r.source = 29 AND (t."channel_id" IS NULL OR EXISTS (SELECT FROM "public"."channel" p WHERE p.id OPERATOR(pg_catalog.=) t."channel_id")))
    EXCEPT SELECT file_id FROM pruned.keep WHERE (lasts IS NULL OR made_at + make_interval(secs => lasts) > clock_timestamp())
), known AS (
    SELECT file_id FROM pruned.candidate WHERE direction = 'row'
), mentioned AS (
    DELETE FROM pruned.candidate WHERE direction = 'row'
       AND file_id IN (SELECT file_id FROM known EXCEPT SELECT file_id FROM free)
), fresh AS (
    SELECT file_id FROM free EXCEPT SELECT file_id FROM known
)
