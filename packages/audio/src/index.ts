export { icyReader } from './icy-reader.ts'
export { mp3FrameReader, silentFrames, type Mp3Frame, type Mp3FrameReader } from './mp3-frames.ts'
