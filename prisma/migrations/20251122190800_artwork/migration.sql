-- The picture of a channel: its hash in the media store, kind `covers`, which pieces name files of too.
ALTER TABLE "channels" ADD COLUMN "artwork_sha256" TEXT;
CREATE INDEX "channels_artwork_sha256_idx" ON "channels"("artwork_sha256");

-- Work for the role media is on a piece, or on the artwork of a channel.
ALTER TABLE "media_jobs" ALTER COLUMN "media_id" DROP NOT NULL;
ALTER TABLE "media_jobs" ADD COLUMN "channel_id" TEXT;
ALTER TABLE "media_jobs" ADD CONSTRAINT "media_jobs_channel_id_fkey" FOREIGN KEY ("channel_id") REFERENCES "channels"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "media_jobs" ADD CONSTRAINT "media_jobs_subject" CHECK (("media_id" IS NULL) <> ("channel_id" IS NULL));
CREATE UNIQUE INDEX "media_jobs_channel_id_key" ON "media_jobs"("channel_id");
