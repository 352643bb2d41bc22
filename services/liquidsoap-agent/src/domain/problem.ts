import type { StreamError } from '@skipcast/contracts'

/** Why a wanted stream is not heard: each with what a person can do about it. */
const table = {
  NO_TRACKS: { message: 'The channel has no tracks', hint: 'Upload a track and attach it to the channel.' },
  MEDIA_MISSING: {
    message: 'No file of the channel can be had from the media store',
    hint: 'Check the media store, or upload the tracks again.',
  },
  TRACKS_MISSING: {
    message: 'Some tracks are left out: the media store does not have their files',
    hint: 'Upload these tracks again, or take them off the channel.',
  },
  TRACKS_UNPLAYABLE: {
    message: 'Some tracks are left out: they can not be played',
    hint: 'Their files are damaged, or not of the kind that their names say: upload them again, or take them off the channel.',
  },
  DISK_FULL: {
    message: 'There is no space for the files of the channel on its server',
    hint: 'Make room on the disk of the server, or lower MEDIA_CACHE_MB. What is there already plays on.',
  },
  SILENCE: {
    message: 'The stream is connected and silent',
    hint: 'Listen to the track that plays: its file may hold silence. Replace it, or take it off the channel.',
  },
  NOTHING_PLAYABLE: {
    message: 'No track of the channel can be played',
    hint: 'The files may be damaged: upload the tracks again.',
  },
  ENGINE_START_FAILED: {
    message: 'No engine can be started on this server',
    hint: "Check that Liquidsoap is installed; the engine's own log says more.",
  },
  ENGINE_REFUSED: {
    message: 'The engine refused the channel',
    hint: 'This is a defect of ours: please report it with the log of the agent.',
  },
  ENGINE_CRASHED: { message: 'The engine ended unexpectedly', hint: 'It is being started again; if this repeats, read its log.' },
  ENGINE_SILENT: { message: 'The engine does not answer', hint: 'It is stopped and started again if that lasts.' },
  CHANNEL_STUCK: {
    message: 'The engine holds the channel and has stopped sending it',
    hint: 'It is moved to another engine by itself; if this repeats, one of its files or the disk of the server may hang.',
  },
  CHANNEL_QUARANTINED: {
    message: 'The channel failed again and again, and is left alone for a while so that it disturbs no other',
    hint: "See its tracks and its engine's log; any change of the channel, and stopping and starting it, tries it again at once.",
  },
  SOURCE_REFUSED: {
    message: 'Icecast refused the stream',
    hint: 'Another server may have taken the channel over, or the signing keys of the servers differ.',
  },
  ICECAST_UNAVAILABLE: {
    message: 'Icecast can not be reached',
    hint: 'Check that the icecast role runs and that ICECAST_HOST and ICECAST_PORT lead to it.',
  },
  NOT_HEARD: {
    message: 'The engine is connected, and yet nothing arrives at a listener',
    hint: 'Check Icecast, and the network between this server and it.',
  },
  HOST_UNREACHABLE: {
    message: 'The agent does not reach the host that runs the channel, and nothing is heard of it',
    hint: 'The log of the agent says why; `doctor` there checks each host. Engines on a host need no connection to play.',
  },
  SERVER_STOPPED: { message: 'The server was stopped', hint: 'Start it again, or move the channel to another server.' },
} as const satisfies Record<string, { message: string; hint: string }>

export type ProblemCode = keyof typeof table

/** All there are: `deploy/errors.md` tells people of each. */
export const problemCodes = Object.keys(table) as readonly ProblemCode[]

/** What went wrong, as it is told to people; `detail` (a sentence's part, without its end) says of what, or how many. */
export function problem(code: ProblemCode, at: number, detail = ''): StreamError {
  const { message, hint } = table[code]
  return { code, message: detail === '' ? message : `${message}: ${detail}`, hint, at }
}

/** What Liquidsoap's words about its connection mean: Icecast answers a source with 401 or 403, its front with 429 those who come often with a false token; everything else is no answer. */
export function connectionProblem(words: string): 'SOURCE_REFUSED' | 'ICECAST_UNAVAILABLE' {
  return /^(40[13]|429)\b/.test(words) ? 'SOURCE_REFUSED' : 'ICECAST_UNAVAILABLE'
}
