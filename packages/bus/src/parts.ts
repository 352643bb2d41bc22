/** What both makes of the bus are made of, for whoever makes a third: the simulation. */
export { sharedViews } from './shared-views.ts'
export { stateFeed } from './state-view.ts'
export { encode, type WireRecord } from './wire.ts'
