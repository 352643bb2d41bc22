-- CreateTable
CREATE TABLE "media_likes" (
    "media_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "media_likes_pkey" PRIMARY KEY ("media_id","user_id")
);

-- CreateIndex
CREATE INDEX "media_likes_user_id_idx" ON "media_likes"("user_id");

-- AddForeignKey
ALTER TABLE "media_likes" ADD CONSTRAINT "media_likes_media_id_fkey" FOREIGN KEY ("media_id") REFERENCES "media"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "media_likes" ADD CONSTRAINT "media_likes_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
