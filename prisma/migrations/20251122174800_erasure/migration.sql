-- Deleted users of whom nothing is to stay.
ALTER TABLE "users" ADD COLUMN "erase_at" TIMESTAMPTZ(3);
CREATE INDEX "users_erase_at_idx" ON "users"("erase_at");
