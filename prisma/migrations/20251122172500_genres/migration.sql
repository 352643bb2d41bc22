-- AlterTable
ALTER TABLE "channels" ALTER COLUMN "genre" SET DEFAULT '';

-- CreateTable
CREATE TABLE "genres" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "slug" TEXT NOT NULL,

    CONSTRAINT "genres_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "channel_genres" (
    "channel_id" TEXT NOT NULL,
    "genre_id" INTEGER NOT NULL,

    CONSTRAINT "channel_genres_pkey" PRIMARY KEY ("channel_id","genre_id")
);

-- CreateTable
CREATE TABLE "media_genres" (
    "media_id" TEXT NOT NULL,
    "genre_id" INTEGER NOT NULL,

    CONSTRAINT "media_genres_pkey" PRIMARY KEY ("media_id","genre_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "genres_name_key" ON "genres"("name");

-- CreateIndex
CREATE UNIQUE INDEX "genres_slug_key" ON "genres"("slug");

-- CreateIndex
CREATE INDEX "channel_genres_genre_id_channel_id_idx" ON "channel_genres"("genre_id", "channel_id");

-- CreateIndex
CREATE INDEX "media_genres_genre_id_media_id_idx" ON "media_genres"("genre_id", "media_id");

-- AddForeignKey
ALTER TABLE "channel_genres" ADD CONSTRAINT "channel_genres_channel_id_fkey" FOREIGN KEY ("channel_id") REFERENCES "channels"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "channel_genres" ADD CONSTRAINT "channel_genres_genre_id_fkey" FOREIGN KEY ("genre_id") REFERENCES "genres"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "media_genres" ADD CONSTRAINT "media_genres_media_id_fkey" FOREIGN KEY ("media_id") REFERENCES "media"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "media_genres" ADD CONSTRAINT "media_genres_genre_id_fkey" FOREIGN KEY ("genre_id") REFERENCES "genres"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- The usual ones.
INSERT INTO "genres" ("name", "slug") VALUES
    ('Blues', 'blues'), ('Classical', 'classical'), ('Country', 'country'), ('Electronic', 'electronic'), ('Folk', 'folk'),
    ('Gospel', 'gospel'), ('Hip Hop', 'hip-hop'), ('Jazz', 'jazz'), ('Latin', 'latin'), ('Metal', 'metal'),
    ('Pop', 'pop'), ('R&B', 'r-and-b'), ('Reggae', 'reggae'), ('Rock', 'rock'), ('Soul', 'soul');

-- What people had written becomes genres of theirs: one for each text, whatever its case. The channel's row keeps the text as its genre is spelled now.
WITH "named" AS (
    SELECT min("genre") AS "name", btrim(regexp_replace(lower("genre"), '[^a-z0-9]+', '-', 'g'), '-') AS "slug" FROM "channels"
    WHERE btrim("genre") <> '' AND NOT EXISTS (SELECT 1 FROM "genres" g WHERE lower(g."name") = lower("channels"."genre"))
    GROUP BY lower("genre")
), "numbered" AS (
    SELECT "name", "slug", row_number() OVER (PARTITION BY "slug" ORDER BY "name") AS "place" FROM "named"
)
INSERT INTO "genres" ("name", "slug")
SELECT "name", CASE WHEN "place" = 1 AND "slug" <> '' AND NOT EXISTS (SELECT 1 FROM "genres" g WHERE g."slug" = "numbered"."slug")
    THEN "slug" ELSE 'genre-' || md5("name") END
FROM "numbered";

INSERT INTO "channel_genres" ("channel_id", "genre_id")
SELECT c."id", g."id" FROM "channels" c JOIN "genres" g ON lower(g."name") = lower(c."genre");

UPDATE "channels" c SET "genre" = g."name" FROM "channel_genres" cg JOIN "genres" g ON g."id" = cg."genre_id" WHERE cg."channel_id" = c."id" AND c."genre" <> g."name";
