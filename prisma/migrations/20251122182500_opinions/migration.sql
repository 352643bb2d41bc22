-- AlterTable
ALTER TABLE "channels" ADD COLUMN     "views" INTEGER NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "channel_likes" (
    "channel_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "channel_likes_pkey" PRIMARY KEY ("channel_id","user_id")
);

-- CreateTable
CREATE TABLE "channel_reviews" (
    "id" TEXT NOT NULL,
    "channel_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "review" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "channel_reviews_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "channel_views" (
    "channel_id" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "viewer" TEXT NOT NULL,

    CONSTRAINT "channel_views_pkey" PRIMARY KEY ("channel_id","day","viewer")
);

-- CreateIndex
CREATE INDEX "channel_likes_user_id_idx" ON "channel_likes"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "channel_reviews_channel_id_user_id_key" ON "channel_reviews"("channel_id", "user_id");

-- CreateIndex
CREATE INDEX "channel_reviews_user_id_idx" ON "channel_reviews"("user_id");

-- CreateIndex
CREATE INDEX "channel_views_day_idx" ON "channel_views"("day");

-- AddForeignKey
ALTER TABLE "channel_likes" ADD CONSTRAINT "channel_likes_channel_id_fkey" FOREIGN KEY ("channel_id") REFERENCES "channels"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "channel_likes" ADD CONSTRAINT "channel_likes_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "channel_reviews" ADD CONSTRAINT "channel_reviews_channel_id_fkey" FOREIGN KEY ("channel_id") REFERENCES "channels"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "channel_reviews" ADD CONSTRAINT "channel_reviews_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "channel_views" ADD CONSTRAINT "channel_views_channel_id_fkey" FOREIGN KEY ("channel_id") REFERENCES "channels"("id") ON DELETE CASCADE ON UPDATE CASCADE;
