import {
  childUser,
  freePort,
  makeDirectory,
  runCommand,
  silentLogger,
  startDaemon,
  stopDaemon,
  writeFileAtomic,
} from '@skipcast/runtime'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { javaFlags, log4jProperties, serverProperties } from '../../../services/kafka/src/broker-files.ts'
import { fetchKafka } from '../../../services/kafka/src/kafka.ts'
import { testHome } from '../../../services/kafka/test/test-home.ts'
import { authority, certificate, type Certificate } from './certificates.ts'

export const USERNAME = 'radio'
export const PASSWORD = 'correct-horse-battery-staple'

/** A real broker that takes nobody in the clear. */
export interface SecureBroker extends AsyncDisposable {
  /** Demands TLS, and a login by SCRAM-SHA-512 or plain. */
  readonly saslPort: number
  /** Demands TLS, and a certificate of `ca` instead of a login. */
  readonly mutualPort: number
  readonly ca: Certificate
  /** Signed nothing that the broker has, and nothing that it trusts. */
  readonly otherCa: Certificate
  readonly client: Certificate
  /** Of `otherCa`. */
  readonly stranger: Certificate
}

/** Starts it; it answers some seconds later. */
export async function secureBroker(): Promise<SecureBroker> {
  await using owned = new AsyncDisposableStack()
  const home = owned.use(await testHome())
  const user = childUser()
  const pem = await makeDirectory(join(home.path, 'pem'))
  const ca = await authority(pem, 'ca')
  const otherCa = await authority(pem, 'other-ca')
  const server = await certificate(pem, 'server', ca)
  const client = await certificate(pem, 'client', ca)
  const stranger = await certificate(pem, 'stranger', otherCa)

  const directory = await makeDirectory(join(home.path, 'kafka'), { owner: user })
  const at = (name: string) => join(directory, name)
  const [port, saslPort, mutualPort, controllerPort] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const place = { listenHost: '127.0.0.1', advertisedHost: '127.0.0.1', port, controllerPort, dataDirectory: at('data') }
  const settings = serverProperties(place) + securityProperties({ saslPort, mutualPort, controllerPort, port }, at)
  const write = (name: string, text: string) => writeFileAtomic(at(name), text, { owner: user })
  await write('server.pem', (await readFile(server.keyFile, 'utf8')) + (await readFile(server.certFile, 'utf8')))
  await write('ca.pem', await readFile(ca.certFile, 'utf8'))
  await write('server.properties', settings)
  await write('log4j2.properties', log4jProperties(directory))

  const jars = join(await fetchKafka(home, silentLogger()), '*')
  const java = [...javaFlags(256), `-Dlog4j2.configurationFile=${at('log4j2.properties')}`, '-cp', jars]
  const users = ['--add-scram', `SCRAM-SHA-512=[name=${USERNAME},password="${PASSWORD}"]`]
  const format = ['kafka.tools.StorageTool', 'format', '-t', 'c2tpcGNhc3QtdGVzdC0xMg', '-c', at('server.properties'), ...users]
  await runCommand('java', [...java, ...format], { timeoutMs: 60_000, user, cwd: directory })
  const identityFile = join(home.path, 'broker.json')
  const program = { program: 'java', args: [...java, 'kafka.Kafka', at('server.properties')] }
  const daemon = await startDaemon({ ...program, cwd: directory, logFile: at('broker.out'), identityFile, tag: 'secure', user })
  owned.defer(() => stopDaemon(daemon, { identityFile, graceMs: 0, signal: 'SIGKILL' }))

  const running = owned.move()
  return { saslPort, mutualPort, ca, otherCa, client, stranger, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** What replaces lines of a plain broker's settings: of two lines with one name, Java takes the last. */
function securityProperties(
  ports: { readonly port: number; readonly saslPort: number; readonly mutualPort: number; readonly controllerPort: number },
  at: (name: string) => string,
): string {
  const clients = `SASL://127.0.0.1:${ports.saslPort},MUTUAL://127.0.0.1:${ports.mutualPort}`
  const listeners = `PLAINTEXT://127.0.0.1:${ports.port},${clients}`
  const jaas = 'org.apache.kafka.common.security'
  return [
    `listeners=${listeners},CONTROLLER://127.0.0.1:${ports.controllerPort}`,
    `advertised.listeners=${listeners}`,
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_SSL,MUTUAL:SSL',
    'ssl.keystore.type=PEM',
    `ssl.keystore.location=${at('server.pem')}`,
    'ssl.truststore.type=PEM',
    `ssl.truststore.location=${at('ca.pem')}`,
    'listener.name.mutual.ssl.client.auth=required',
    'sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN',
    `listener.name.sasl.scram-sha-512.sasl.jaas.config=${jaas}.scram.ScramLoginModule required;`,
    `listener.name.sasl.plain.sasl.jaas.config=${jaas}.plain.PlainLoginModule required user_${USERNAME}="${PASSWORD}";`,
    '',
  ].join('\n')
}
