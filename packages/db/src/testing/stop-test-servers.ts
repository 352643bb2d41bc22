import { stopTestServers } from './test-server.ts'

// oxlint-disable-next-line import/no-default-export -- jest calls the default export at the end of a run
export default stopTestServers
