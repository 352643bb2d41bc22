-- CreateEnum
CREATE TYPE "privacy" AS ENUM ('public', 'private');

-- AlterTable
ALTER TABLE "channels" ADD COLUMN     "deleted_at" TIMESTAMPTZ(3),
ADD COLUMN     "privacy" "privacy" NOT NULL DEFAULT 'public';

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "premium" BOOLEAN NOT NULL DEFAULT false;

-- What lies in the trash plays nowhere.
ALTER TABLE "channels" ADD CONSTRAINT "channels_trash_is_off" CHECK ("deleted_at" IS NULL OR "wanted" = 'off');

-- CreateIndex
CREATE INDEX "channels_deleted_at_idx" ON "channels"("deleted_at");
