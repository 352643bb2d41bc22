-- CreateEnum
CREATE TYPE "hand_over" AS ENUM ('now', 'track_end');

-- AlterTable
ALTER TABLE "channels" ADD COLUMN     "hand_over" "hand_over",
ADD COLUMN     "moved_at" TIMESTAMPTZ(3),
ADD COLUMN     "moved_because" TEXT,
ADD COLUMN     "moved_from" TEXT,
ADD COLUMN     "pinned_server_id" TEXT,
ADD COLUMN     "replicas" INTEGER NOT NULL DEFAULT 1,
ADD COLUMN     "server_labels" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "standby_epoch" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "standby_server_id" TEXT;

-- CreateTable
CREATE TABLE "servers" (
    "id" TEXT NOT NULL,
    "drained_at" TIMESTAMPTZ(3) NOT NULL,
    "drained_by" TEXT NOT NULL,

    CONSTRAINT "servers_pkey" PRIMARY KEY ("id")
);


