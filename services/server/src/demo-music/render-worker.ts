import { parentPort, workerData } from 'node:worker_threads'
import { compositions, render } from './compositions.ts'

const samples = render(compositions[workerData as number]!)
parentPort!.postMessage(samples, [samples.buffer as ArrayBuffer])
