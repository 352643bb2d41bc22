import { engineHostContract } from './engine-host.contract.ts'
import { sshHostUnderTest } from './ssh-host-under-test.ts'

engineHostContract('over SSH', sshHostUnderTest)
