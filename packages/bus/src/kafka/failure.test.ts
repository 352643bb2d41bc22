import { AppError } from '@skipcast/runtime'
import { describe, expect, test } from '@jest/globals'
import { explain, unavailable } from './failure.ts'

const failure = (fields: Record<string, string>) => Object.assign(new Error(fields['message'] ?? 'failed'), fields)

describe('a failure of Kafka', () => {
  test('keeps the words of its thrower when there are none better', () => {
    const refused = new Error('connect ECONNREFUSED')
    expect(explain(refused)).toBe('connect ECONNREFUSED')
    expect(unavailable(refused)).toMatchObject({
      code: 'BUS_UNAVAILABLE',
      message: 'Kafka does not answer: connect ECONNREFUSED',
    })
  })

  test('that is one of ours already stays as it is', () => {
    const own = new AppError('CONFIG_INVALID', 'no')
    expect(unavailable(own)).toBe(own)
  })

  test.each([
    [{ name: 'KafkaJSSASLAuthenticationError' }, /refuses the login: check KAFKA_SASL_USERNAME/],
    [{ type: 'UNSUPPORTED_SASL_MECHANISM' }, /another KAFKA_SASL_MECHANISM/],
    [{ code: 'SELF_SIGNED_CERT_IN_CHAIN' }, /not trusted \(SELF_SIGNED_CERT_IN_CHAIN\): check KAFKA_SSL_CA/],
    [{ code: 'CERT_HAS_EXPIRED' }, /not trusted \(CERT_HAS_EXPIRED\)/],
    [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, /certificate of another host/],
    [{ code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' }, /check KAFKA_SSL, KAFKA_SSL_CERT and KAFKA_SSL_KEY/],
    [{ name: 'KafkaJSConnectionClosedError' }, /may demand TLS \(KAFKA_SSL\) or a login/],
  ])('is told by its cure, however deep it lies: %j', (fields, text) => {
    expect(explain(new Error('outer', { cause: new Error('middle', { cause: failure(fields) }) }))).toMatch(text)
  })

  test('of a login never repeats what the broker said of it', () => {
    const said = failure({ name: 'KafkaJSSASLAuthenticationError', message: 'no such password: hunter2' })
    expect(unavailable(said).message).not.toMatch(/hunter2/)
  })
})
