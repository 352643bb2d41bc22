-- What lists of channels are sorted by beside their ids and slugs. Not `updated_at`, which every command changes.
CREATE INDEX "channels_name_id_idx" ON "channels"("name", "id");

-- What is searched, as `channel-list.ts` spells it. pg_trgm comes with PostgreSQL and may be had by whoever owns the database; where it can not be had,
-- searching works as before, and takes longer.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX "channels_search_idx" ON "channels" USING gin (lower("name" || E'\n' || "slug" || E'\n' || "description" || E'\n' || "genre") gin_trgm_ops);
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
    RAISE NOTICE 'no pg_trgm: %', SQLERRM;
END
$$;
