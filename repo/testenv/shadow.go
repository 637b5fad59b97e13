package testenv

import "testing"

// shadowSQL makes, in a schema on everybody's search path, functions and operators
// that fit the columns of the application better than PostgreSQL's own, which take
// text where those are varchar, or anything where those are an array of text. Whoever
// calls one of them is told so. Those that cannot be made are left out.
const shadowSQL = `
DO $$
DECLARE
    f record;
    types constant jsonb := '{"text": "varchar", "name": "text", "anyelement": "text", "anyarray": "text[]", "any": "text",
        "anycompatible": "text", "anycompatiblearray": "text[]", "anynonarray": "varchar", "json": "jsonb", "oid": "regclass"}';
    body constant text := 'BEGIN RAISE EXCEPTION ''%s was shadowed''; END';
BEGIN
    PERFORM set_config('search_path', 'pg_catalog', true);
    FOR f IN SELECT DISTINCT p.proname, a.args FROM pg_proc p CROSS JOIN LATERAL (
                 SELECT string_agg(CASE WHEN k = '"any"' THEN 'text' ELSE coalesce(types ->> k, k) END, ', ' ORDER BY i) AS args
                   FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u (o, i) CROSS JOIN LATERAL (SELECT format_type(u.o, NULL)) t (k)) a
              WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.pronargs BETWEEN 1 AND 4
                AND a.args ~ 'varchar|text|regclass|jsonb' LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS text LANGUAGE plpgsql AS %L', f.proname, f.args, format(body, f.proname));
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    FOR f IN SELECT o AS name, pair[1] AS l, pair[2] AS r
               FROM unnest('{=,<>,<,>,<=,>=,~,!~,~*,~~,!~~,||,->,->>,+,-,@>,&&}'::text[]) o
              CROSS JOIN (VALUES ('{varchar,text}'::text[]), ('{text,varchar}'), ('{varchar,varchar}'), ('{name,text}'), ('{name,varchar}'),
                                 ('{text,name}'), ('{text[],text[]}'), ('{varchar[],text[]}'), ('{tid[],tid[]}'), ('{varchar,name}'), ('{jsonb,varchar}'),
                                 ('{json,varchar}'), ('{int4,int8}'), ('{int2,int4}')) v (pair) LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION public.shadow(%s, %s) RETURNS boolean LANGUAGE plpgsql AS %L', f.l, f.r, format(body, 'an operator'));
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
        BEGIN
            EXECUTE format('CREATE OPERATOR public.%s (leftarg = %s, rightarg = %s, function = public.shadow)', f.name, f.l, f.r);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
END $$`

// Shadow makes functions and operators that a careless statement would call. Of those
// of a test itself it breaks many.
func (d *Database) Shadow(t testing.TB) {
	t.Helper()
	d.Exec(t, shadowSQL)
	if n := Value[int](t, d, `SELECT count(*) FROM pg_proc WHERE pronamespace OPERATOR(pg_catalog.=) 'public'::regnamespace`); n < 200 {
		t.Fatalf("only %d functions are shadowed", n)
	}
}
