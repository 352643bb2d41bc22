import type { World } from '../kernel/world.ts'

/** What a machine keeps when its processes die. Whatever was written before the death is there whole, or not at all. */
export interface Disk {
  read(file: string): unknown
  /** Resolves when it is there. Values are copied: nobody shares an object with a file. */
  write(file: string, value: unknown): Promise<void>
}

export function disks(world: World): (machine: string) => Disk {
  const random = world.random.fork('disk')
  const files = new Map<string, string>()
  return (machine) => ({
    read(file) {
      const text = files.get(`${machine}:${file}`)
      return text === undefined ? null : (JSON.parse(text) as unknown)
    },
    write(file, value) {
      const text = JSON.stringify(value)
      return new Promise((resolve) => {
        setTimeout(
          () => {
            files.set(`${machine}:${file}`, text)
            resolve()
          },
          random.between(1, 4),
        )
      })
    },
  })
}
