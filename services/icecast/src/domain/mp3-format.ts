import { silentFrames } from '@skipcast/audio'

/** Whether MPEG-1 layer III has this bitrate. */
export function isMp3Bitrate(bitrateKbps: number): boolean {
  return exists({ bitrateKbps, sampleRate: 44_100 })
}

/** Whether MPEG-1 layer III has this sample rate. */
export function isMp3SampleRate(sampleRate: number): boolean {
  return exists({ bitrateKbps: 128, sampleRate })
}

function exists(format: Parameters<typeof silentFrames>[0]): boolean {
  try {
    silentFrames(format)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}
