/** What a broker must know of its place. */
export interface BrokerPlace {
  readonly listenHost: string
  readonly advertisedHost: string
  readonly port: number
  readonly controllerPort: number
  readonly dataDirectory: string
}

/**
 * `server.properties` of a broker that is alone: broker and controller in one process (KRaft). What a topic keeps, and
 * for how long, is set on each topic by the bus.
 */
export function serverProperties(place: BrokerPlace): string {
  return lines({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${place.controllerPort}`,
    listeners: `PLAINTEXT://${bracketed(place.listenHost)}:${place.port},CONTROLLER://127.0.0.1:${place.controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${bracketed(place.advertisedHost)}:${place.port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': place.dataDirectory,

    'auto.create.topics.enable': false,
    'default.replication.factor': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,

    // A consumer group starts at once, and a dead member is noticed as soon as its consumer asked for.
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    // As long as the longest topic is kept: a group that was away must find its place again.
    'offsets.retention.minutes': 30 * 24 * 60,

    // A broker that was killed may come back at once: until its former self has been silent for so long, it is refused.
    'broker.heartbeat.interval.ms': 1000,
    'broker.session.timeout.ms': 3000,

    // There is no replica: after a power cut, what was written in the last second may be gone (a killed process loses nothing).
    'log.flush.interval.ms': 1000,
    'log.flush.scheduler.interval.ms': 1000,

    // Small: one machine shares itself with everything else.
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
    'num.recovery.threads.per.data.dir': 2,
    'group.coordinator.threads': 1,
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
    // No entry in the metadata log twice a second merely to say that nothing happened.
    'metadata.max.idle.interval.ms': 0,
  })
}

/** The broker's log: at most 40 MB, in the home. */
export function log4jProperties(logDirectory: string): string {
  return lines({
    status: 'warn',
    shutdownHook: 'disable',
    'appender.file.type': 'RollingFile',
    'appender.file.name': 'file',
    'appender.file.fileName': `${logDirectory}/kafka.log`,
    'appender.file.filePattern': `${logDirectory}/kafka.%i.log`,
    'appender.file.layout.type': 'PatternLayout',
    'appender.file.layout.pattern': '%d{ISO8601} %p %m (%c{1})%n',
    'appender.file.policies.type': 'Policies',
    'appender.file.policies.size.type': 'SizeBasedTriggeringPolicy',
    'appender.file.policies.size.size': '10MB',
    'appender.file.strategy.type': 'DefaultRolloverStrategy',
    'appender.file.strategy.max': 3,
    'rootLogger.level': 'info',
    'rootLogger.appenderRefs': 'file',
    'rootLogger.appenderRef.file.ref': 'file',
  })
}

/** Flags of the Java machine: quick to start and small, rather than fast in the long run (see README, decisions). */
export function javaFlags(heapMb: number): string[] {
  return [
    `-Xms${Math.min(64, heapMb)}m`,
    `-Xmx${heapMb}m`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-XX:+ExitOnOutOfMemoryError',
    '-XX:-UsePerfData',
    '-Djava.awt.headless=true',
  ]
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** Java properties. Backslashes (of a path) would be read as escapes. */
function lines(properties: Record<string, string | number | boolean>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('')
}
