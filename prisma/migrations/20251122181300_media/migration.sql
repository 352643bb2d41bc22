-- Pieces are imported by the role media: they are there before they can be played.
CREATE TYPE "media_state" AS ENUM ('processing', 'ready', 'failed');
CREATE TYPE "media_kind" AS ENUM ('audio', 'video');
CREATE TYPE "visibility" AS ENUM ('public', 'private');
CREATE TYPE "media_job_state" AS ENUM ('waiting', 'running', 'done', 'failed');

ALTER TABLE "media"
  ADD COLUMN "state" "media_state" NOT NULL DEFAULT 'ready',
  ADD COLUMN "problem" TEXT,
  ADD COLUMN "genre" TEXT NOT NULL DEFAULT '',
  ADD COLUMN "year" TEXT NOT NULL DEFAULT '',
  ADD COLUMN "track" INTEGER,
  ADD COLUMN "visibility" "visibility" NOT NULL DEFAULT 'private',
  ADD COLUMN "downloadable" BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN "file_sha256" TEXT,
  ADD COLUMN "file_size_bytes" BIGINT,
  ADD COLUMN "kind" "media_kind",
  ADD COLUMN "content_type" TEXT,
  ADD COLUMN "container" TEXT,
  ADD COLUMN "codec" TEXT,
  ADD COLUMN "file_bitrate_kbps" INTEGER,
  ADD COLUMN "channel_count" INTEGER,
  ADD COLUMN "sample_rate" INTEGER,
  ADD COLUMN "cover_sha256" TEXT,
  ADD COLUMN "waveform_sha256" TEXT,
  ADD COLUMN "deleted_at" TIMESTAMPTZ(3),
  ALTER COLUMN "sha256" DROP NOT NULL,
  ALTER COLUMN "size_bytes" DROP NOT NULL,
  ALTER COLUMN "duration_ms" DROP NOT NULL;
-- Those that were there already are ready; new ones are not.
ALTER TABLE "media" ALTER COLUMN "state" SET DEFAULT 'processing';
-- What channels play is there.
ALTER TABLE "media" ADD CONSTRAINT "media_ready_has_file"
  CHECK ("state" <> 'ready' OR ("sha256" IS NOT NULL AND "size_bytes" IS NOT NULL AND "duration_ms" IS NOT NULL));

CREATE INDEX "media_owner_id_original_sha256_idx" ON "media"("owner_id", "original_sha256");
CREATE INDEX "media_file_sha256_idx" ON "media"("file_sha256");
CREATE INDEX "media_cover_sha256_idx" ON "media"("cover_sha256");
CREATE INDEX "media_waveform_sha256_idx" ON "media"("waveform_sha256");
CREATE INDEX "media_deleted_at_idx" ON "media"("deleted_at");

CREATE TABLE "media_jobs" (
  "id" TEXT NOT NULL,
  "media_id" TEXT NOT NULL,
  "kind" TEXT NOT NULL,
  "message" JSON NOT NULL,
  "state" "media_job_state" NOT NULL DEFAULT 'waiting',
  "percent" INTEGER NOT NULL DEFAULT 0,
  "problem" TEXT,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "media_jobs_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "media_jobs_media_id_id_idx" ON "media_jobs"("media_id", "id");
CREATE INDEX "media_jobs_state_updated_at_idx" ON "media_jobs"("state", "updated_at");
ALTER TABLE "media_jobs" ADD CONSTRAINT "media_jobs_media_id_fkey"
  FOREIGN KEY ("media_id") REFERENCES "media"("id") ON DELETE CASCADE ON UPDATE CASCADE;
