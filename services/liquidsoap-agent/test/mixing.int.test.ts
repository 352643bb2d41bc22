import { mixingContract } from './mixing.contract.ts'

mixingContract('the Liquidsoap of this machine', 'liquidsoap')
