-- AlterTable
ALTER TABLE "uploads" ADD COLUMN "place" TEXT NOT NULL DEFAULT '';
