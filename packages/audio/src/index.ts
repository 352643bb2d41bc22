export {
  airFormatOf,
  audioReader,
  CONTENT_TYPES,
  silence,
  type AirFormat,
  type AudioFrame,
  type AudioReader,
  type Silence,
} from './air-format.ts'
export { icyReader } from './icy-reader.ts'
export { mp3FrameReader, silentFrames, type Mp3Frame, type Mp3FrameReader } from './mp3-frames.ts'
export { oggOpusWriter } from './ogg-opus.ts'
