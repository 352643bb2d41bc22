-- AlterTable
ALTER TABLE "channels" ADD COLUMN "revision" BIGINT NOT NULL DEFAULT 0;
