import { offsetContract } from './offset.contract.ts'

offsetContract('Liquidsoap of this machine', 'liquidsoap')
