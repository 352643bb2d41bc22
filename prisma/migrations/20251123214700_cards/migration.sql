-- Lists are read from cards: what a channel or a piece is listed, sorted and searched by, and what decides who sees it. They change only when that does, while channels
-- change with every command; so their indexes cost commands nothing, and pages far away are reached within an index.
CREATE TABLE "channel_cards" (
  "id" TEXT NOT NULL,
  "owner_id" TEXT NOT NULL,
  "privacy" "privacy" NOT NULL,
  "deleted_at" TIMESTAMPTZ(3),
  "name" TEXT NOT NULL,
  "slug" TEXT NOT NULL,
  "text" TEXT NOT NULL,
  CONSTRAINT "channel_cards_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "channel_cards_id_fkey" FOREIGN KEY ("id") REFERENCES "channels"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE "media_cards" (
  "id" TEXT NOT NULL,
  "owner_id" TEXT NOT NULL,
  "visibility" "visibility" NOT NULL,
  "state" "media_state" NOT NULL,
  "kind" "media_kind",
  "deleted_at" TIMESTAMPTZ(3),
  "title" TEXT NOT NULL,
  "artist" TEXT NOT NULL,
  "duration_ms" INTEGER,
  "public_text" TEXT NOT NULL,
  "text" TEXT NOT NULL,
  CONSTRAINT "media_cards_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "media_cards_id_fkey" FOREIGN KEY ("id") REFERENCES "media"("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- The cards of these rows, from what they are now.
CREATE FUNCTION card_of(c channels) RETURNS channel_cards LANGUAGE sql STABLE
AS $$ SELECT c.id, c.owner_id, c.privacy, c.deleted_at, c.name, c.slug, lower(concat_ws(E'\n', c.name, c.slug, c.description, c.genre)) $$;
CREATE FUNCTION card_of(m media) RETURNS media_cards LANGUAGE sql STABLE
AS $$ SELECT m.id, m.owner_id, m.visibility, m.state, m.kind, m.deleted_at, m.title, m.artist, m.duration_ms, lower(concat_ws(E'\n', m.title, m.artist, m.album)),
  lower(concat_ws(E'\n', m.title, m.artist, m.album, m.original_name)) $$;
INSERT INTO channel_cards SELECT (card_of(c)).* FROM channels c;
INSERT INTO media_cards SELECT (card_of(m)).* FROM media m;

CREATE FUNCTION keep_channel_card() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM channel_cards WHERE id = NEW.id;
  INSERT INTO channel_cards SELECT (card_of(NEW)).*;
  RETURN NULL;
END $$;
CREATE FUNCTION keep_media_card() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM media_cards WHERE id = NEW.id;
  INSERT INTO media_cards SELECT (card_of(NEW)).*;
  RETURN NULL;
END $$;
CREATE TRIGGER make_card AFTER INSERT ON channels FOR EACH ROW EXECUTE FUNCTION keep_channel_card();
CREATE TRIGGER keep_card AFTER UPDATE ON channels FOR EACH ROW
  WHEN ((OLD.owner_id, OLD.privacy, OLD.deleted_at, OLD.name, OLD.slug, OLD.description, OLD.genre)
    IS DISTINCT FROM (NEW.owner_id, NEW.privacy, NEW.deleted_at, NEW.name, NEW.slug, NEW.description, NEW.genre)) EXECUTE FUNCTION keep_channel_card();
CREATE TRIGGER make_card AFTER INSERT ON media FOR EACH ROW EXECUTE FUNCTION keep_media_card();
CREATE TRIGGER keep_card AFTER UPDATE ON media FOR EACH ROW
  WHEN ((OLD.owner_id, OLD.visibility, OLD.state, OLD.kind, OLD.deleted_at, OLD.title, OLD.artist, OLD.album, OLD.original_name, OLD.duration_ms)
    IS DISTINCT FROM (NEW.owner_id, NEW.visibility, NEW.state, NEW.kind, NEW.deleted_at, NEW.title, NEW.artist, NEW.album, NEW.original_name, NEW.duration_ms)) EXECUTE FUNCTION keep_media_card();

DROP INDEX "channels_name_id_idx";
DROP INDEX IF EXISTS "channels_search_idx";
-- Beside what is sorted by, what decides who sees it: then nothing else is read.
CREATE INDEX "channel_cards_by_id_idx" ON "channel_cards"("id") INCLUDE ("privacy", "owner_id") WHERE "deleted_at" IS NULL;
CREATE INDEX "channel_cards_by_name_idx" ON "channel_cards"("name", "id") INCLUDE ("privacy", "owner_id") WHERE "deleted_at" IS NULL;
CREATE INDEX "channel_cards_by_slug_idx" ON "channel_cards"("slug", "id") INCLUDE ("privacy", "owner_id") WHERE "deleted_at" IS NULL;
CREATE INDEX "channel_cards_owner_id_idx" ON "channel_cards"("owner_id");
-- This changes with every command, so it is on no card.
CREATE INDEX "channels_by_updated_at_idx" ON "channels"("updated_at", "id") INCLUDE ("privacy", "owner_id") WHERE "deleted_at" IS NULL;
CREATE INDEX "media_cards_by_id_idx" ON "media_cards"("id") INCLUDE ("owner_id", "visibility", "state", "kind") WHERE "deleted_at" IS NULL;
CREATE INDEX "media_cards_by_title_idx" ON "media_cards"("title", "id") INCLUDE ("owner_id", "visibility", "state", "kind") WHERE "deleted_at" IS NULL;
CREATE INDEX "media_cards_by_artist_idx" ON "media_cards"("artist", "id") INCLUDE ("owner_id", "visibility", "state", "kind") WHERE "deleted_at" IS NULL;
CREATE INDEX "media_cards_by_duration_ms_idx" ON "media_cards"("duration_ms", "id") INCLUDE ("owner_id", "visibility", "state", "kind") WHERE "deleted_at" IS NULL;
CREATE INDEX "media_cards_owner_id_idx" ON "media_cards"("owner_id");
CREATE INDEX "media_cards_deleted_at_idx" ON "media_cards"("deleted_at");
CREATE INDEX "channel_media_channel_id_position_idx" ON "channel_media"("channel_id", "position");

-- A text has what is searched for only if it has all of its neighbours of three characters, or itself, where it is shorter. That holds for every character; pg_trgm
-- knows none of signs and emoji, and nothing of fewer than three letters.
CREATE FUNCTION search_grams(whole text, shortest int) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000
AS $$ SELECT ARRAY(SELECT substr(whole, at, size) FROM generate_series(shortest, 3) size, generate_series(1, char_length(whole) - size + 1) at) $$;
-- Written at once: no search reads through what is still to be sorted in. Statistics of it would take long, and help nobody.
CREATE INDEX "channel_cards_grams_idx" ON "channel_cards" USING gin (search_grams("text", 1)) WITH (fastupdate = off);
ALTER INDEX "channel_cards_grams_idx" ALTER COLUMN 1 SET STATISTICS 0;
CREATE INDEX "media_cards_grams_idx" ON "media_cards" USING gin (search_grams("text", 1)) WITH (fastupdate = off);
ALTER INDEX "media_cards_grams_idx" ALTER COLUMN 1 SET STATISTICS 0;
