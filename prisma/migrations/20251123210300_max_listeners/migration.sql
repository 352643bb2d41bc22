-- AlterTable
ALTER TABLE "channels" ADD COLUMN     "max_listeners" INTEGER;
