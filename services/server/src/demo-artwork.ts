import { runCommand } from '@skipcast/runtime'

const SIDE = 1000
const DRAW_TIMEOUT_MS = 30_000

/** How far a pixel is from where the waves come from. */
const DISTANCE = 'hypot(X-500,Y-560)'
const WAVES = `pow(0.5+0.5*sin(${DISTANCE}/13),8)`
const fading = (to: number) => `exp(-${DISTANCE}/${to})`
const COLOURS = [
  `r='20+90*exp(-pow(${DISTANCE}/520,2))+60*${WAVES}*${fading(330)}'`,
  `g='18+40*Y/${SIDE}+130*${WAVES}*${fading(420)}'`,
  `b='60+70*(1-Y/${SIDE})+90*${WAVES}*${fading(520)}'`,
]

/** Draws the artwork of the demo channel, waves on their way through the dusk, as a PNG. Replaces what stands there. Rejects when ffmpeg is missing or fails. */
export async function drawDemoArtwork(path: string): Promise<void> {
  const source = `nullsrc=s=${SIDE}x${SIDE},geq=${COLOURS.join(':')}`
  const args = ['-v', 'error', '-y', '-f', 'lavfi', '-i', source, '-frames:v', '1', '-pix_fmt', 'rgb24', `file:${path}`]
  await runCommand('ffmpeg', args, { timeoutMs: DRAW_TIMEOUT_MS })
}
