-- CreateTable
CREATE TABLE "listener_minutes" (
    "channel_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "min" INTEGER NOT NULL,
    "max" INTEGER NOT NULL,
    "area_ms" DOUBLE PRECISION NOT NULL,
    "first_at" TIMESTAMPTZ(3) NOT NULL,
    "last_at" TIMESTAMPTZ(3) NOT NULL,
    "last_count" INTEGER NOT NULL,

    CONSTRAINT "listener_minutes_pkey" PRIMARY KEY ("channel_id","at")
);

-- CreateTable
CREATE TABLE "listener_hours" (
    "channel_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "min" INTEGER NOT NULL,
    "max" INTEGER NOT NULL,
    "mean" DOUBLE PRECISION NOT NULL,
    "minutes" INTEGER NOT NULL,

    CONSTRAINT "listener_hours_pkey" PRIMARY KEY ("channel_id","at")
);

-- CreateTable
CREATE TABLE "track_plays" (
    "id" TEXT NOT NULL,
    "channel_id" TEXT NOT NULL,
    "media_id" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "artist" TEXT NOT NULL,
    "server_id" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "track_plays_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "listener_minutes_at_idx" ON "listener_minutes"("at");

-- CreateIndex
CREATE INDEX "listener_hours_at_idx" ON "listener_hours"("at");

-- CreateIndex
CREATE INDEX "track_plays_channel_id_started_at_idx" ON "track_plays"("channel_id", "started_at");

-- CreateIndex
CREATE INDEX "track_plays_started_at_idx" ON "track_plays"("started_at");

-- AddForeignKey
ALTER TABLE "listener_minutes" ADD CONSTRAINT "listener_minutes_channel_id_fkey" FOREIGN KEY ("channel_id") REFERENCES "channels"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "listener_hours" ADD CONSTRAINT "listener_hours_channel_id_fkey" FOREIGN KEY ("channel_id") REFERENCES "channels"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "track_plays" ADD CONSTRAINT "track_plays_channel_id_fkey" FOREIGN KEY ("channel_id") REFERENCES "channels"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What a minute's mean is, in one place; Prisma leaves views alone.
CREATE VIEW "listener_minute_means" AS
SELECT channel_id, at, min, max,
    (area_ms + last_count * 1000 * extract(epoch FROM at + interval '1 minute' - last_at))
        / (1000 * extract(epoch FROM at + interval '1 minute' - first_at)) AS mean
FROM listener_minutes;
