import { runCommand } from '@skipcast/runtime'
import { join } from 'node:path'

const LIMIT = { timeoutMs: 20_000 }
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Paths of PEM files. */
export interface Certificate {
  readonly certFile: string
  readonly keyFile: string
}

/** Makes an authority of its own, valid for a day. */
export async function authority(directory: string, name: string): Promise<Certificate> {
  const made = files(directory, name)
  await runCommand('openssl', ['req', '-x509', ...NEW_KEY, ...outputs(made), '-days', '1', '-subj', `/CN=${name}`], LIMIT)
  return made
}

/** Makes a certificate by `issuer` for 127.0.0.1: for no name, so `localhost` is another host. */
export async function certificate(directory: string, name: string, issuer: Certificate): Promise<Certificate> {
  const made = files(directory, name)
  const by = ['-CA', issuer.certFile, '-CAkey', issuer.keyFile]
  const extensions = ['-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE']
  const args = ['req', '-x509', ...NEW_KEY, ...outputs(made), '-days', '1', '-subj', `/CN=${name}`, ...by, ...extensions]
  await runCommand('openssl', args, LIMIT)
  return made
}

function files(directory: string, name: string): Certificate {
  return { certFile: join(directory, `${name}.pem`), keyFile: join(directory, `${name}.key`) }
}

function outputs({ certFile, keyFile }: Certificate): string[] {
  return ['-out', certFile, '-keyout', keyFile]
}
