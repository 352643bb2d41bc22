import { pictureType, type PictureType } from './sniff.ts'

export interface PictureSize {
  readonly width: number
  readonly height: number
}

/** Frames of JPEG: all SOF markers but those of tables and of arithmetic conditioning. */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc

/** How large a picture says it is, read from its head without decoding anything; null where it does not say. */
export function pictureSize(file: Buffer): PictureSize | null {
  const type = pictureType(file)
  if (type === null) return null
  try {
    return READERS[type](file)
  } catch (error) {
    if (error instanceof RangeError) return null // it ends before it says so
    throw error
  }
}

const READERS: Readonly<Record<PictureType, (file: Buffer) => PictureSize | null>> = {
  png: (file) => ({ width: file.readUInt32BE(16), height: file.readUInt32BE(20) }),
  gif: (file) => ({ width: file.readUInt16LE(6), height: file.readUInt16LE(8) }),
  jpeg: jpegSize,
  webp: webpSize,
}

function jpegSize(file: Buffer): PictureSize | null {
  for (let at = 2; at < file.length;) {
    if (file[at] !== 0xff) return null
    const marker = file.readUInt8(at + 1)
    if (marker === 0xff) at += 1
    else if (isFrame(marker)) return { height: file.readUInt16BE(at + 5), width: file.readUInt16BE(at + 7) }
    else at += 2 + file.readUInt16BE(at + 2)
  }
  return null
}

function webpSize(file: Buffer): PictureSize | null {
  switch (file.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return { width: file.readUInt16LE(26) & 0x3fff, height: file.readUInt16LE(28) & 0x3fff }
    case 'VP8L': {
      const bits = file.readUInt32LE(21)
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
    }
    case 'VP8X':
      return { width: file.readUIntLE(24, 3) + 1, height: file.readUIntLE(27, 3) + 1 }
    default:
      return null
  }
}
