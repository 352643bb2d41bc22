-- CreateEnum
CREATE TYPE "upload_kind" AS ENUM ('file', 'picture');

-- AlterTable
ALTER TABLE "uploads" ADD COLUMN "kind" "upload_kind" NOT NULL DEFAULT 'file';
