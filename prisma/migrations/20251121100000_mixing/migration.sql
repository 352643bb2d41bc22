-- AlterTable
ALTER TABLE "channels" ADD COLUMN     "crossfade_ms" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "loudness_lufs" DOUBLE PRECISION;

-- AlterTable
ALTER TABLE "media" ADD COLUMN     "cue_in_ms" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "cue_out_ms" INTEGER,
ADD COLUMN     "loudness_lufs" DOUBLE PRECISION,
ADD COLUMN     "peak_dbfs" DOUBLE PRECISION;
