-- CreateEnum
CREATE TYPE "channel_mount" AS ENUM ('own', 'waiting');

-- AlterTable
ALTER TABLE "channels" ADD COLUMN     "primary_mount" "channel_mount" NOT NULL DEFAULT 'own';

-- Epochs of both replicas are counted together from now on, and the second one's is the higher.
UPDATE "channels" SET "standby_epoch" = greatest("epoch", "standby_epoch") + 1 WHERE "standby_server_id" IS NOT NULL;
