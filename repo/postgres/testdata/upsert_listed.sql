INSERT INTO pruned.candidate AS c (file_id, direction, store, sweep, size, chunks, made_at)
SELECT c.file_id, @direction::text, @store::text, @sweep::bigint, sum(c.size), sum(c.chunks),
       CASE WHEN @direction::text = 'bytes' THEN clock_timestamp() - make_interval(secs => min(c.age)) END
  FROM unnest(@ids::text[], @names::text[], @sizes::bigint[], @chunks::bigint[], @ages::float8[]) c (file_id, name, size, chunks, age)
 WHERE NOT EXISTS (SELECT FROM "public"."file" f WHERE f.id = c.file_id OFFSET 0)
   AND NOT EXISTS (SELECT FROM pruned.known_file k
                    WHERE NOT k.literal AND NOT k.is_name AND k.token = lower(c.file_id COLLATE "C") COLLATE "default" OFFSET 0)
   AND NOT EXISTS (SELECT FROM pruned.known_file k WHERE k.name = split_part(c.name, '/', -1) AND k.name <> '' OFFSET 0)
   AND NOT EXISTS (SELECT FROM pruned.tombstone s
                    WHERE s.file_id = c.file_id AND s.name = c.name AND s.kind = @kind::text AND s.identity = @identity::text OFFSET 0)
 GROUP BY c.file_id
    ON CONFLICT (file_id, direction) DO UPDATE
   SET size = excluded.size + CASE WHEN c.sweep = excluded.sweep THEN c.size ELSE 0 END,
       chunks = excluded.chunks + CASE WHEN c.sweep = excluded.sweep THEN c.chunks ELSE 0 END,
       made_at = greatest(excluded.made_at, CASE WHEN c.sweep = excluded.sweep THEN c.made_at END),
       first_seen = CASE WHEN c.store = excluded.store AND (c.direction <> 'collection' OR c.chunks = excluded.chunks) THEN c.first_seen ELSE excluded.first_seen END,
       claimed_at = CASE WHEN c.store = excluded.store THEN c.claimed_at END,
       confirmed = c.confirmed AND c.store = excluded.store,
       shown = c.shown AND c.store = excluded.store,
       store = excluded.store, sweep = excluded.sweep, seen_at = excluded.seen_at
