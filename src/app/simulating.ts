// The simulated vendor as the command line starts it.
export { type Damage, damageKinds, type ItemStyle, itemStyles } from '../simulate/item.ts'
export { type FaultKind, faultKinds, type RetryAfterStyle, retryAfterStyles } from '../simulate/options.ts'
export { type SimulateOptions, simulateReviews } from '../simulate/reviews.ts'
