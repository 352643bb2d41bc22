import type { Demo } from './demo-channel.ts'

/** What a newcomer reads when all is up: where to listen, where to look, and three commands to try. */
export function welcome(options: { apiUrl: string; tokenFile: string; demo: Demo | null }): string {
  const { apiUrl, tokenFile, demo } = options
  const stream = demo
    ? demo.phase === 'on_air'
      ? `The demo channel is on air:  ${demo.listenUrl}`
      : `The demo channel is off. Put it on air with the third command.`
    : 'No demo channel (it was deleted).'
  return `
  Skipcast is up.

    ${stream}
    API documentation:           ${apiUrl}/docs
    Administrator's token:       ${tokenFile}

  Try:

    curl -s ${apiUrl}/api/channels
    curl -s ${apiUrl}/api/channels/demo/stream/status
    curl -s -X POST -H "Authorization: Bearer $(cat ${tokenFile})" ${apiUrl}/api/channels/demo/stream/${demo?.phase === 'off' ? 'start' : 'stop'}

  Ctrl-C stops everything.
`
}
