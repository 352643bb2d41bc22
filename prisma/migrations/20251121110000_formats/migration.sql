-- CreateEnum
CREATE TYPE "stream_format" AS ENUM ('mp3', 'opus', 'aac');

-- AlterTable
ALTER TABLE "channels" ADD COLUMN     "format" "stream_format" NOT NULL DEFAULT 'mp3';
