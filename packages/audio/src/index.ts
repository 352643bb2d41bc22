export { icyReader } from './icy-reader.ts'
export { mp3FrameReader, silentFrames, type Mp3Frame } from './mp3-frames.ts'
