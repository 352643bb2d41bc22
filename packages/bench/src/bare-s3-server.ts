import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import type { S3Server } from '@skipcast/media-store/testing'

/** Whatever is sent goes into the bucket as it comes, with the defaults of the library: no accounts, no hash, no disk between. Reads where that is, prints its port. */
const config = JSON.parse(await text(process.stdin)) as S3Server['config']
const { accessKeyId, secretAccessKey, endpoint, region, forcePathStyle } = config
const client = new S3Client({
  endpoint: endpoint!,
  region,
  forcePathStyle,
  credentials: { accessKeyId, secretAccessKey },
  requestChecksumCalculation: 'WHEN_REQUIRED', // S3Proxy takes no trailers
})
const server = createServer((request, response) => {
  const params = { Bucket: config.bucket, Key: 'bare', Body: request }
  new Upload({ client, params }).done().then(
    () => response.end('{}'),
    (error: unknown) => response.writeHead(500).end(String(error)),
  )
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
