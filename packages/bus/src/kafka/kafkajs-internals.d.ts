/** The one inner part of kafkajs that is touched; see request-queue.ts. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  const RequestQueue: { readonly prototype: object }
  // eslint-disable-next-line import/no-default-export -- kafkajs is CommonJS: its exports are the default
  export default RequestQueue
}
